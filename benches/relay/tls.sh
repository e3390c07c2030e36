#!/usr/bin/env bash
# The gateway against Postfix with TLS on both sides, in one run:  tls.sh WORK [MESSAGES [AT_ONCE [RUNS [HANDSHAKES]]]]
#   SCHOOLGATE  the release binary;  LOAD  the example `tls_load`, built for release
# Prints a line of figures for each run, interleaved, and the medians last. Postfix twice: as it comes (a TLS session for each message that
# leaves), and with connections that are used again (smtp_tls_connection_reuse). Postfix starts as root alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$1 messages=${2:-1000} at_once=${3:-20} runs=${4:-3} handshakes=${5:-1000}
in=2525 out=2526
mkdir -p "$work" && chmod 755 "$work"
export TLS=$work/keys ROSTER=$work/roster.csv
mkdir -p "$TLS" && "$LOAD" keys "$TLS" && chmod 755 "$TLS" && chmod 644 "$TLS"/*
awk 'BEGIN { print "UPN,forename,surname,dob,year,guardian_email"
             for (i = 0; i < 1500; i++) printf ",Forename%d,Surname%d,%02d/%02d/2014,7,guardian%d@home.invalid\n", i % 211, i % 677, i % 28 + 1, i % 12 + 1, i }' > "$ROSTER"

postfix_starts() { # DIR REUSE
    local dir=$1
    rm -rf "$dir" && mkdir -p "$dir/etc" "$dir/q" "$dir/data" && chmod 755 "$dir" "$dir/etc" && chown postfix: "$dir/data"
    cat > "$dir/etc/main.cf" <<CF
compatibility_level = 3.6
queue_directory = $dir/q
data_directory = $dir/data
maillog_file_prefixes = $dir
maillog_file = $dir/mail.log
myhostname = gw.invalid
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
relayhost = [localhost]:$out
smtp_host_lookup = native
inet_interfaces = loopback-only
inet_protocols = ipv4
smtpd_tls_security_level = may
smtpd_tls_chain_files = $TLS/key.pem, $TLS/cert.pem
smtp_tls_security_level = verify
smtp_tls_verify_cert_match = hostname
smtp_tls_CAfile = $TLS/ca.pem
smtp_tls_connection_reuse = $2
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_recipient_restrictions = permit_mynetworks, reject
queue_minfree = 0
CF
    cat > "$dir/etc/master.cf" <<CF
127.0.0.1:$in inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
tlsproxy unix - - n - 0 tlsproxy
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
CF
    postfix -c "$dir/etc" start > "$dir/start.log" 2>&1 || { cat "$dir/start.log" >&2; return 1; }
    for _ in $(seq 100); do (exec 3<> "/dev/tcp/127.0.0.1/$in") 2>/dev/null && return 0; sleep 0.05; done
    return 1
}

starts() {
    case $1 in
    schoolgate) "$here/gateway.sh" start "$work/gateway" $in $out ;;
    postfix) postfix_starts "$work/postfix" no ;;
    postfix-reuse) postfix_starts "$work/postfix" yes ;;
    esac
}
stops() {
    case $1 in
    schoolgate) "$here/gateway.sh" stop "$work/gateway" ;;
    *) postfix -c "$work/postfix/etc" stop > /dev/null 2>&1 || true; sleep 0.3 ;;
    esac
}

figures=$work/figures.tsv && : > "$figures"
for run in $(seq "$runs"); do
    for peer in schoolgate postfix postfix-reuse; do
        starts "$peer"
        for what in "mail $TLS $in $out $messages $at_once" "handshakes $TLS $in $handshakes $at_once"; do
            line=$("$LOAD" $what)
            echo "$run $peer ${what%% *} $line"
            printf '%s\t%s\t%s\n' "$peer" "${what%% *}" "$(sed -E 's/.*"per_second":([0-9.]+).*/\1/' <<< "$line")" >> "$figures"
        done
        stops "$peer"
    done
done
echo "medians a second (least-most):"
for what in mail handshakes; do
    for peer in schoolgate postfix postfix-reuse; do
        awk -F'\t' -v p="$peer" -v w="$what" '$1 == p && $2 == w { print $3 }' "$figures" | sort -n |
            awk -v p="$peer" -v w="$what" '{ v[NR] = $1 } END { print w, p, v[int((NR + 1) / 2)] " (" v[1] "-" v[NR] ")" }'
    done
done
