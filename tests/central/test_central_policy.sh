#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Policies with accounts: what `account hash` prints, `policy sign` takes and `policy show` shows.
# The hash is judged by the argon2 command (where the SDK has it).
. "$(dirname "$0")/lib.sh"

ctl init centre >/dev/null || exit 1
ctl policy template >policy.conf || bad "template"
for word in 'two_person = wrong_person' 'capture_min = 0.95'; do grep -q "^$word" policy.conf || bad "template lacks $word"; done

hash() { printf '%s\n' "$1" | ctl account hash "${@:2}"; }
FINGERPRINT=$(printf x | openssl dgst -sha256 -c | sed 's/.*= //')
printf 'name,display,role,salt,hash,certificate\n' >accounts.csv
if hash 472915 4711 --display 'R. "Roald" Amundsen' --role officer >>accounts.csv 2>err; then
	hash 385017264950 s.chief --display Großmann --role supervisor --certificate "$FINGERPRINT" >>accounts.csv || bad "with a certificate"
	hash 472915 t.1 --display T --role technician >>accounts.csv || bad "the same PIN for another"
	python3 - <<'END' || bad "the file is no CSV, or a salt is there twice"
import csv
rows = list(csv.reader(open("accounts.csv")))[1:]
assert [row[:3] for row in rows] == [["4711", 'R. "Roald" Amundsen', "officer"], ["s.chief", "Großmann", "supervisor"], ["t.1", "T", "technician"]]
assert len({row[3] for row in rows}) == 3 and len({row[4] for row in rows}) == 3
END
	IFS=, read -r _ _ _ salt hashed < <(sed -n 2p accounts.csv)
	# The command takes the salt as text, so not every salt can be given to it; those tried until one can.
	for _ in $(seq 400); do
		case "$salt" in *00* | *0a) ;; *) break ;; esac
		IFS=, read -r _ _ _ salt hashed < <(hash 472915 4711 --display R --role officer)
	done
	is "argon2's own hash" "$hashed" "$(printf 472915 | argon2 "$(printf "$(printf %s "$salt" | sed 's/../\\x&/g')")" -id -t 3 -k 19456 -p 1 -l 32 -r)"
	for pin in 12345 1234567890123 123456 000000 121212 98765a ''; do
		hash "$pin" 4712 --display X --role officer >out 2>err && bad "PIN '$pin' was taken"
		[ -s out ] && bad "PIN '$pin': something on standard output"
		is "PIN '$pin': one sentence" 1 "$(wc -l <err)"
	done
	grep -q "472915" accounts.csv && bad "the PIN stands in the file"
else
	has "without libargon2" "libargon2" "$(cat err)"
	printf '4711,"R. ""Roald"" Amundsen",officer,%032d,%064d\ns.chief,Großmann,supervisor,%032d,%064d,%s\nt.1,T,technician,%032d,%064d\n' \
		1 2 3 4 "$FINGERPRINT" 5 6 >>accounts.csv
fi
is "usage" 2 "$(hash 472915 'two words' --display X --role officer 2>/dev/null; echo $?)"
is "usage" 2 "$(hash 472915 4712 --display X --role king 2>/dev/null; echo $?)"
is "usage" 2 "$(hash 472915 4712 --display X --role officer --certificate 00:11 2>/dev/null; echo $?)"

sed 's/^two_person.*/two_person = wrong_person confirmed_by_document/; s/^capture_min.*/capture_min = 0.9/' policy.conf >mine.conf
ctl policy sign mine.conf --accounts accounts.csv >/dev/null || bad "sign"
ctl policy show >shown || bad "show"
for line in 'capture rate   alarm below 0.9' 'two people     for confirmed_by_document wrong_person' 'accounts       3' \
	'  4711                 officer    R. "Roald" Amundsen' '  s.chief              supervisor Großmann (with a certificate)'; do
	grep -qxF "$line" shown || bad "show lacks '$line': $(cat shown)"
done
grep -qE '[0-9a-f]{32}' shown && bad "show tells a hash"
sed 's/^two_person.*/two_person =/' policy.conf >none.conf
ctl policy sign none.conf >/dev/null || bad "sign without accounts"
has "nothing" "two people     for nothing" "$(ctl policy show)"

refused() { # refused WHAT SENTENCE CONF [CSV]
	ctl policy sign "$3" ${4:+--accounts "$4"} >out 2>err && bad "$1 was signed"
	has "$1" "$2" "$(cat err)"
}
sed 's/^two_person.*/two_person = wrong_person nonsense/' policy.conf >bad.conf; refused "unknown decision" "no decision is called 'nonsense'" bad.conf
sed 's/^capture_min.*/capture_min = 1.5/' policy.conf >bad.conf; refused "capture rate of 1.5" "capture_min" bad.conf
line=$(sed -n 2p accounts.csv)
{ cat accounts.csv; echo "$line"; } >bad.csv; refused "one badge twice" "line 5: there is an account 4711 already" policy.conf bad.csv
sed -n 3p accounts.csv | sed 's/^s.chief/other/' >more.csv; cat accounts.csv more.csv >bad.csv; refused "one certificate twice" "accounts" policy.conf bad.csv
for wrong in '4711' '4711,A,officer,00,11' "${line/officer/king}" "${line/4711/ }" "$line,00:11" "${line%?}"; do
	printf '%s\n' "$wrong" >bad.csv; refused "'$wrong'" "line 1" policy.conf bad.csv
done
for i in $(seq 65); do printf 'n%d,N,officer,%032d,%064d\n' "$i" 1 1; done >bad.csv; refused "65 accounts" "at most 64" policy.conf bad.csv
refused "no file" "nowhere.csv" policy.conf nowhere.csv
has "still the last one" "version 2" "$(ctl policy show | head -1)"
finish
