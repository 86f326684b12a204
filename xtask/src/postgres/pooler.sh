# Runs a temporary pgbouncer until standard input ends, which it does when the process that holds the other end of the
# pipe is gone, however it went.
#
# Arguments: the program, an empty folder, the settings.
program=$1 folder=$2 settings=$3
exec 3<&0 </dev/null

printf '%s\n' "$settings" >"$folder/pgbouncer.ini"
"$program" "$folder/pgbouncer.ini" >"$folder/log" 2>&1 3<&- &
pooler=$!
# A program that does not start must end the wait, too.
{ cat <&3; kill -QUIT "$pooler"; } >/dev/null 2>&1 &
wait "$pooler"

tail -n 5 "$folder/log" >&2
rm -rf "$folder"
