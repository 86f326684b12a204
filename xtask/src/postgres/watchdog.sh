# Runs a temporary PostgreSQL until standard input ends, which it does when the process that holds the other end of the
# pipe is gone, however it went. Then nothing is left, neither the server nor its files.
#
# Arguments: the folder of PostgreSQL's programs, an empty folder, a TCP port.
bin=$1 folder=$2 port=$3
exec 3<&0 </dev/null

"$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$folder/log" 2>&1 3<&- &&
    {
        # Nothing here has to survive a crash, so nothing waits for the disk.
        "$bin/postgres" -D "$folder/data" -F -h 127.0.0.1 -p "$port" -k "$folder" -c max_connections=200 \
            -c fsync=off -c synchronous_commit=off -c full_page_writes=off >>"$folder/log" 2>&1 3<&- &
        server=$!
        # A shell starts its background children deaf to SIGQUIT, so the signal is lost on a server that is only starting.
        { cat <&3; while kill -QUIT "$server"; do sleep 1; done; } >/dev/null 2>&1 &
        wait "$server"
    }

tail -n 5 "$folder/log" >&2
rm -rf "$folder"
