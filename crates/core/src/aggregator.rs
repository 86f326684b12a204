//! What is computed: a fold over chunks, and a finish on the small tables that are left.
//!
//! An author writes [`Aggregator`] with types of their own. The runner has a list of different ones and sees them
//! through [`AnyAggregator`], which every aggregator is by itself.

use std::any::Any;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::chunk::Chunk;
use crate::error::{Error, Result};
use crate::finding::Finished;
use crate::input::{Input, InputId};
use crate::output::Output;
use crate::scope::DateRange;

/// A computation that is pure: the same rows give the same bytes, in whatever chunks and order and on whatever thread
/// they arrive, today and when a cache brings them back. A day's rows depend on the line items of that day, the settings,
/// the reference data, source and month; an aggregator that looks further asks for whole partitions, says which days
/// must be seen together ([`Aggregator::windows`]), or takes the output of a survey ([`Aggregator::is_survey`]).
pub trait Aggregator: Send + Sync + 'static {
    /// What earlier aggregators handed over, made ready to look things up in; `()` if nothing is.
    type Sides: Send + Sync + 'static;
    /// A partial result.
    type State: State;

    /// What it reads. The position is the [`InputId`].
    fn inputs(&self) -> Vec<Input>;

    /// What it yields, in the order of [`Aggregator::finish`].
    fn outputs(&self) -> Vec<Output>;

    /// The pieces of `days`, in order and without gaps, each of which must be seen as a whole, if days are not
    /// independent of each other. The run is then cut there and nowhere else.
    fn windows(&self, _days: DateRange) -> Option<Vec<DateRange>> {
        None
    }

    /// Whether it is computed once, of all days, before the first window, for others that must know something of the
    /// whole scope. What it takes from other aggregators must come from surveys too.
    fn is_survey(&self) -> bool {
        false
    }

    /// Takes the asked output of each [`crate::Source::OutputOf`] input, in the order of the inputs. Called once for each
    /// window; `days` are its days.
    ///
    /// # Errors
    /// Whatever makes the rows unusable.
    fn prepare(&self, handovers: Vec<RecordBatch>, days: DateRange) -> Result<Self::Sides>;

    /// The neutral state, of no rows.
    fn start(&self) -> Self::State;

    /// Takes in a chunk. All its rows are dated, on a day of the scope.
    ///
    /// # Errors
    /// `Type` or `Label` with the column; the runner adds the rest of the place.
    fn fold(&self, sides: &Self::Sides, state: &mut Self::State, input: InputId, chunk: &Chunk) -> Result<()>;

    /// The rows of each output, typed as [`Output::schema`], in an order that depends on the rows alone; and what was
    /// noticed on the way. Without inputs of whole partitions the rows come day by day.
    ///
    /// # Errors
    /// Values that do not fit their destination.
    fn finish(&self, sides: &Self::Sides, state: Self::State) -> Result<Finished>;
}

/// A partial result that can be merged and can travel. Merging is associative and commutative in what
/// [`Aggregator::finish`] makes of it, and [`Aggregator::start`] is neutral.
pub trait State: Sized + Send + 'static {
    /// Takes in another partial result.
    ///
    /// # Errors
    /// A sum that overflows.
    fn merge(&mut self, other: Self) -> Result<()>;

    /// The state as plain tables.
    ///
    /// # Errors
    /// `Bug` only.
    fn encode(&self) -> Result<Vec<RecordBatch>>;

    /// The state that was encoded.
    ///
    /// # Errors
    /// `Bug` if the tables are not what [`State::encode`] wrote.
    fn decode(batches: &[RecordBatch]) -> Result<Self>;
}

/// The state of an aggregator that folds no table, only finishes what others handed over.
impl State for () {
    fn merge(&mut self, (): ()) -> Result<()> {
        Ok(())
    }

    fn encode(&self) -> Result<Vec<RecordBatch>> {
        Ok(Vec::new())
    }

    fn decode(_batches: &[RecordBatch]) -> Result<Self> {
        Ok(())
    }
}

/// A state whose type only its own aggregator knows.
pub type AnyState = Box<dyn Any + Send>;

/// An aggregator without its types. Implemented for every [`Aggregator`].
pub trait AnyAggregator: Send + Sync {
    /// See [`Aggregator::inputs`].
    fn inputs(&self) -> Vec<Input>;
    /// See [`Aggregator::outputs`].
    fn outputs(&self) -> Vec<Output>;
    /// See [`Aggregator::windows`].
    fn windows(&self, days: DateRange) -> Option<Vec<DateRange>>;
    /// See [`Aggregator::is_survey`].
    fn is_survey(&self) -> bool;
    /// See [`Aggregator::prepare`]; what comes back folds.
    ///
    /// # Errors
    /// As for [`Aggregator::prepare`].
    fn prepare(self: Arc<Self>, handovers: Vec<RecordBatch>, days: DateRange) -> Result<Arc<dyn Fold>>;
}

/// An aggregator that has its sides and may fold, on any number of threads.
pub trait Fold: Send + Sync {
    /// See [`Aggregator::start`].
    fn start(&self) -> AnyState;
    /// See [`Aggregator::fold`].
    ///
    /// # Errors
    /// As for [`Aggregator::fold`].
    fn fold(&self, state: &mut AnyState, input: InputId, chunk: &Chunk) -> Result<()>;
    /// See [`State::merge`].
    ///
    /// # Errors
    /// As for [`State::merge`].
    fn merge(&self, into: &mut AnyState, other: AnyState) -> Result<()>;
    /// See [`State::encode`].
    ///
    /// # Errors
    /// As for [`State::encode`].
    fn encode(&self, state: &AnyState) -> Result<Vec<RecordBatch>>;
    /// See [`State::decode`].
    ///
    /// # Errors
    /// As for [`State::decode`].
    fn decode(&self, batches: &[RecordBatch]) -> Result<AnyState>;
    /// See [`Aggregator::finish`].
    ///
    /// # Errors
    /// As for [`Aggregator::finish`].
    fn finish(&self, state: AnyState) -> Result<Finished>;
}

struct Prepared<A: Aggregator> {
    aggregator: Arc<A>,
    sides: A::Sides,
}

impl<A: Aggregator> AnyAggregator for A {
    fn inputs(&self) -> Vec<Input> {
        Aggregator::inputs(self)
    }

    fn outputs(&self) -> Vec<Output> {
        Aggregator::outputs(self)
    }

    fn windows(&self, days: DateRange) -> Option<Vec<DateRange>> {
        Aggregator::windows(self, days)
    }

    fn is_survey(&self) -> bool {
        Aggregator::is_survey(self)
    }

    fn prepare(self: Arc<Self>, handovers: Vec<RecordBatch>, days: DateRange) -> Result<Arc<dyn Fold>> {
        let sides = Aggregator::prepare(self.as_ref(), handovers, days)?;
        Ok(Arc::new(Prepared { aggregator: self, sides }))
    }
}

fn own<S: 'static>(state: AnyState) -> Result<S> {
    state.downcast().map(|state| *state).map_err(|_| Error::bug("a state was given to another aggregator than its own"))
}

fn own_ref<S: 'static>(state: &AnyState) -> Result<&S> {
    state.downcast_ref().ok_or_else(|| Error::bug("a state was given to another aggregator than its own"))
}

fn own_mut<S: 'static>(state: &mut AnyState) -> Result<&mut S> {
    state.downcast_mut().ok_or_else(|| Error::bug("a state was given to another aggregator than its own"))
}

impl<A: Aggregator> Fold for Prepared<A> {
    fn start(&self) -> AnyState {
        Box::new(self.aggregator.start())
    }

    fn fold(&self, state: &mut AnyState, input: InputId, chunk: &Chunk) -> Result<()> {
        self.aggregator.fold(&self.sides, own_mut(state)?, input, chunk)
    }

    fn merge(&self, into: &mut AnyState, other: AnyState) -> Result<()> {
        own_mut::<A::State>(into)?.merge(own(other)?)
    }

    fn encode(&self, state: &AnyState) -> Result<Vec<RecordBatch>> {
        own_ref::<A::State>(state)?.encode()
    }

    fn decode(&self, batches: &[RecordBatch]) -> Result<AnyState> {
        Ok(Box::new(A::State::decode(batches)?))
    }

    fn finish(&self, state: AnyState) -> Result<Finished> {
        let finished = self.aggregator.finish(&self.sides, own(state)?)?;
        let outputs = Aggregator::outputs(self.aggregator.as_ref());
        let as_declared = finished.outputs.len() == outputs.len()
            && finished.outputs.iter().zip(&outputs).all(|(rows, output)| rows.schema() == output.schema());
        if as_declared {
            Ok(finished)
        } else {
            Err(Error::bug("an aggregator finished other columns than it declared"))
        }
    }
}
