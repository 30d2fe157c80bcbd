#!/usr/bin/env bash
# Every public name has a comment, every page an example; the pages are clean and complete. (That the
# examples print what they say is unit/pages_test.sh's.)
set -uo pipefail
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
    printf 'FAIL %s\n' "$*"
    failed=1
}
python3 "$source/tools/man.py" "$source" --check || fail 'tools/man.py --check'
python3 "$source/tools/man.py" "$source" "$work" || fail 'tools/man.py'
# A function that is declared but on no page would be a fault of the script's.
while read -r name; do
    [ -f "$work/man3/$name.3" ] || grep -qw "$name" "$work"/man3/*.3 || fail "$name is on no page"
done < <(sed -n 's/^GOFER_API .*\b\(go_[a-z_0-9]*\)(.*/\1/p' "$source"/include/gofer/*.h)
if command -v mandoc >/dev/null; then
    for page in "$source/man/gofer.1" "$work"/man7/*.7 "$work"/man3/*.3; do
        grep -q '^\.so ' "$page" || mandoc -T lint -W warning "$page" || fail "mandoc -T lint $page"
    done
else
    echo 'mandoc is not installed: left out'
fi
[ $failed = 1 ] || echo ok
exit $failed
