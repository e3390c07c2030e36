#!/usr/bin/env bash
# The gateway as one peer of a relay benchmark:  gateway.sh start DIR IN OUT | gateway.sh stop DIR
#   SCHOOLGATE  the release binary
#   TLS         where it is set, a folder with cert.pem, key.pem and ca.pem (of localhost): STARTTLS is offered to who sends, and
#               required of the smarthost, with its name checked
#   ROSTER      a CSV of UPN,forename,surname,dob,year,guardian_email (dates as dd/mm/yyyy)
# Listens on 127.0.0.1:IN, relays to 127.0.0.1:OUT, everything it keeps is below DIR. Fully inspecting and durable. The
# core rules run in `observe`, so that every message is read and decided and still reaches the sink to be counted.
set -euo pipefail
dir=$2
case $1 in
stop)
    [ -f "$dir/pid" ] && kill "$(cat "$dir/pid")" 2>/dev/null && sleep 0.3
    rm -rf "$dir"
    exit 0
    ;;
start) ;;
*) exit 2 ;;
esac
in=$3 out=$4
rm -rf "$dir" && mkdir -p "$dir"
head -c 32 /dev/urandom > "$dir/key"
python3 - "$ROSTER" "$dir" <<'PY'
import csv, sys
pupils = csv.writer(open(sys.argv[2] + "/pupils.csv", "w", newline=""))
guardians = csv.writer(open(sys.argv[2] + "/guardians.csv", "w", newline=""))
pupils.writerow("id upn forename surname date_of_birth year_group".split())
guardians.writerow("id forename surname email pupil_ids".split())
for i, row in enumerate(csv.DictReader(open(sys.argv[1]))):
    row = {k.lower(): v for k, v in row.items()}
    d, m, y = row["dob"].split("/")
    pupils.writerow([f"P{i}", row["upn"], row["forename"], row["surname"], f"{y}-{m}-{d}", row["year"]])
    guardians.writerow([f"G{i}", "Guardian", row["surname"], row["guardian_email"], f"P{i}"])
PY
modes=$("$SCHOOLGATE" policy check core | sed -nE 's/^\| ([a-z]+(-[a-z]+)*) +\|.*\| (enforce|observe|warn) +\|.*/\1 = "observe"/p')
listen_tls= host=127.0.0.1 smarthost_tls='tls = "none"'
if [ -n "${TLS:-}" ]; then
    listen_tls=$(printf 'tls = "starttls"\ntls_certificate = "%s/cert.pem"\ntls_key = "%s/key.pem"' "$TLS" "$TLS")
    host=localhost smarthost_tls=$(printf 'tls = "required"\nca_file = "%s/ca.pem"' "$TLS")
fi
cat > "$dir/schoolgate.toml" <<TOML
[school]
name = "Benchmark School"
domains = ["school.invalid"]
[directory]
pupils = "pupils.csv"
guardians = "guardians.csv"
[policy.modes]
$modes
[roles]
sbm = ["sbm@school.invalid"]
head = ["head@school.invalid"]
[listen]
addresses = ["127.0.0.1:$in"]
relay_from = ["127.0.0.0/8"]
$listen_tls
[smarthost]
host = "$host"
port = $out
$smarthost_tls
[store]
path = "store"
key_file = "key"
TOML
SCHOOLGATE_LOG=${SCHOOLGATE_LOG:-warn} setsid "$SCHOOLGATE" serve --config "$dir/schoolgate.toml" > "$dir/log" 2>&1 < /dev/null &
echo $! > "$dir/pid"
for _ in $(seq 100); do
    # It answers 421 until its store is open.
    (exec 3<> "/dev/tcp/127.0.0.1/$in" && read -r -t 2 greeting <&3 && [ "${greeting%% *}" = 220 ]) 2>/dev/null && exit 0
    sleep 0.05
done
cat "$dir/log" >&2
exit 1
