//! The objects of the server: files. What `s3s-fs` does is used; what a real store does beyond it is added.

use std::fs::Metadata;
use std::io::SeekFrom;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, ETag, ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, PutObjectInput, PutObjectOutput, StreamingBlob,
};
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tokio::fs::{File, create_dir_all, metadata, remove_file, write};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::Result;

/// Buckets below a folder.
pub(super) struct Objects {
    files: FileSystem,
    root: PathBuf,
    page: i32,
    heeds_conditions: Arc<AtomicBool>,
}

impl Objects {
    /// The folders in `root` as buckets, listed `page` keys at a time.
    pub(super) fn new(root: &Path, page: i32, heeds_conditions: Arc<AtomicBool>) -> Result<Self> {
        let files = FileSystem::new(root).map_err(|error| format!("no buckets in {}: {error:?}", root.display()))?;
        Ok(Self { files, root: root.to_owned(), page, heeds_conditions })
    }

    fn path(&self, bucket: &str, key: &str) -> PathBuf {
        self.root.join(bucket).join(key)
    }
}

/// Clients take a tag as it is. One of size, time and inode costs nothing, however large the object.
fn tag(metadata: &Metadata) -> ETag {
    ETag::Strong(format!("{:x}-{:x}-{:x}", metadata.size(), metadata.mtime_nsec(), metadata.ino()))
}

#[async_trait::async_trait]
impl S3 for Objects {
    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let bucket = request.input.bucket.clone();
        let page = request.input.max_keys.unwrap_or(self.page).min(self.page);
        let mut answer = self
            .files
            .list_objects_v2(request.map_input(|input| ListObjectsV2Input { max_keys: Some(page), ..input }))
            .await?;
        for object in answer.output.contents.iter_mut().flatten() {
            let path = self.path(&bucket, object.key.as_deref().unwrap_or_default());
            object.e_tag = metadata(path).await.ok().map(|metadata| tag(&metadata));
        }
        Ok(answer)
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let path = self.path(&request.input.bucket, &request.input.key);
        let mut answer = self.files.head_object(request).await?;
        answer.output.e_tag = metadata(path).await.ok().map(|metadata| tag(&metadata));
        Ok(answer)
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let PutObjectInput { bucket, key, body, .. } = request.input;
        let internal = |error: std::io::Error| s3_error!(error, InternalError);
        let mut bytes = Vec::new();
        let mut body = body.ok_or_else(|| s3_error!(IncompleteBody))?;
        while let Some(piece) = body.next().await {
            bytes.extend_from_slice(&piece.map_err(|_| s3_error!(IncompleteBody))?);
        }
        // As in a store, an object is there whole or not at all.
        let path = self.path(&bucket, &key);
        let folder = path.parent().ok_or_else(|| s3_error!(InvalidArgument))?;
        create_dir_all(folder).await.map_err(internal)?;
        let draft = tempfile::NamedTempFile::new_in(&self.root).map_err(internal)?;
        write(draft.path(), &bytes).await.map_err(internal)?;
        draft.persist(&path).map_err(|error| internal(error.error))?;
        let e_tag = metadata(path).await.ok().map(|metadata| tag(&metadata));
        Ok(S3Response::new(PutObjectOutput { e_tag, ..PutObjectOutput::default() }))
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        // Whatever comes of it: an object that is not there is deleted already.
        remove_file(self.path(&request.input.bucket, &request.input.key)).await.ok();
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let GetObjectInput { bucket, key, range, if_match, .. } = request.input;
        let mut file = File::open(self.path(&bucket, &key)).await.map_err(|error| s3_error!(error, NoSuchKey))?;
        let internal = |error| s3_error!(error, InternalError);
        let metadata = file.metadata().await.map_err(internal)?;
        let tag = tag(&metadata);
        if let Some(ETagCondition::ETag(wanted)) = if_match
            && wanted != tag
            && self.heeds_conditions.load(Ordering::Relaxed)
        {
            return Err(s3_error!(PreconditionFailed));
        }
        let asked = match &range {
            Some(range) => range.check(metadata.len())?,
            None => 0..metadata.len(),
        };
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(asked.start)).await.map_err(internal)?;
        file.take(asked.end - asked.start).read_to_end(&mut bytes).await.map_err(internal)?;
        Ok(S3Response::new(GetObjectOutput {
            content_length: i64::try_from(bytes.len()).ok(),
            content_range: range
                .map(|_| format!("bytes {}-{}/{}", asked.start, asked.end.saturating_sub(1), metadata.len())),
            body: Some(StreamingBlob::from(Body::from(bytes))),
            e_tag: Some(tag),
            ..GetObjectOutput::default()
        }))
    }
}
