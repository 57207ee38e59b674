/**
 * Shell for containers that make a SoftHSM token and its key where they are missing. The texts are the same whatever a
 * form holds: labels and paths come in through the environment and stand in quotes, PINs through the environment of
 * pkcs11-tool alone (`env:NAME`). softhsm2-util is not used: it takes a PIN as an argument, which every process of
 * the node can read, or from a terminal, which a container has not (SoftHSM 2.6.1, tried).
 *
 * Environment: MODULE, TOKEN_LABEL, KEY_LABEL, KEY_KIND (aes, rsa), SOFTHSM_PIN, SOFTHSM_SO_PIN, SOFTHSM2_CONF.
 */

/** Looks at tokens: `state` answers absent, without-pin, ready or twice. */
const look = `tool() { pkcs11-tool --module "$MODULE" "$@"; }

state() {
  slots=$(tool --list-slots) || return 1
  printf '%s\\n' "$slots" | WANTED="$TOKEN_LABEL" awk '
    /^Slot / { here = 0 }
    /^  token label +: / { sub(/^  token label +: /, ""); sub(/ +$/, ""); here = ($0 == ENVIRON["WANTED"]) }
    /^  token flags +: / && here { found++; if (/PIN initialized/) pin = 1 }
    END { print (found > 1 ? "twice" : !found ? "absent" : pin ? "ready" : "without-pin") }'
}
`;

const takeSeveral = `
  [2-9] | [1-9][0-9]*) echo "softhsm: the keys are there: $count" ;;`;

/**
 * Makes what is missing and nothing else: run again, it changes nothing; cut off, it goes on where it was.
 * @param several keys of the label: this project's provider tells them apart and decrypts with each, others take any
 */
const make = (several: 'kept' | 'refused'): string => `fail() { echo "softhsm: $*" >&2; exit 1; }

free_slot() {
  tool --list-slots | awk '/^Slot [0-9]+ / { slot = $2 } /token state: +uninitialized/ { print slot; exit }'
}

# pkcs11-tool lists every key of a kind, whatever --label says (OpenSC 0.23, tried): they are counted by their names.
keys() {
  objects=$(tool --token-label "$TOKEN_LABEL" --login --pin env:SOFTHSM_PIN --list-objects --type "$1") ||
    fail "the token refused the PIN, or its keys cannot be listed"
  printf '%s\\n' "$objects" | WANTED="$KEY_LABEL" awk '
    /^  label: +/ { sub(/^  label: +/, ""); sub(/ +$/, ""); if ($0 == ENVIRON["WANTED"]) found++ }
    END { print found + 0 }'
}

found=$(state) || fail "the library did not answer"
case $found in
  ready) echo "softhsm: the token is there" ;;
  twice) fail "two tokens carry this label: remove one, since Vault would take either" ;;
  without-pin) echo "softhsm: the token is there, and gets its PIN" ;;
  absent)
    slot=$(free_slot)
    [ -n "$slot" ] || fail "no free slot for a token"
    tool --slot-index "$slot" --init-token --label "$TOKEN_LABEL" --so-pin env:SOFTHSM_SO_PIN
    ;;
esac
if [ "$(state)" = without-pin ]; then
  tool --token-label "$TOKEN_LABEL" --login --login-type so --so-pin env:SOFTHSM_SO_PIN \\
    --init-pin --new-pin env:SOFTHSM_PIN
fi

case "$KEY_KIND" in
  aes) type=secrkey ;;
  rsa) type=privkey ;;
  *) fail "unknown kind of key" ;;
esac
count=$(keys "$type")
case $count in
  1) echo "softhsm: the key is there" ;;${several === 'kept' ? takeSeveral : ''}
  0)
    if [ "$KEY_KIND" = aes ]; then
      tool --token-label "$TOKEN_LABEL" --login --pin env:SOFTHSM_PIN \\
        --keygen --key-type aes:32 --sensitive --label "$KEY_LABEL"
    else
      tool --token-label "$TOKEN_LABEL" --login --pin env:SOFTHSM_PIN \\
        --keypairgen --key-type rsa:2048 --label "$KEY_LABEL"
    fi
    ;;
  *) fail "several keys carry this label: remove what is too many, since either may be taken" ;;
esac
count=$(keys "$type")
[ "$count" -ge 1 ] || fail "the key is not there after it was made"
`;

/** PINs from the environment, where a Secret put them. */
export const setUpTokenScript = `set -eu
umask 077
export SOFTHSM_PIN SOFTHSM_SO_PIN

${look}
${make('refused')}`;

/** 0 where the token is there and has its PIN. */
export const checkTokenScript = `set -eu
${look}
[ "$(state)" = ready ]
`;

/** Says what it sees: on every change, and every REPORT_SECONDS where that is not 0. Ends when the token is gone. */
export const watchTokenScript = `set -eu
trap 'exit 0' TERM INT
${look}
last=
waited=0
while :; do
  now=$(state) || now=unreadable
  if [ "$now" != "$last" ] || { [ "$REPORT_SECONDS" -gt 0 ] && [ "$waited" -ge "$REPORT_SECONDS" ]; }; then
    free=$(df -Pk "$TOKEN_DIRECTORY" | awk 'NR == 2 { print $4 }')
    printf '{"time":"%s","node":"%s","token":"%s","state":"%s","freeKiB":%s}\\n' \\
      "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$NODE_NAME" "$TOKEN_LABEL" "$now" "\${free:-0}"
    waited=0
  fi
  last=$now
  [ "$now" = ready ] || { [ "$waited" -lt 60 ] || exit 1; }
  sleep 15 &
  wait $!
  waited=$((waited + 15))
done
`;

/** hostPath volumes are not given to fsGroup by Kubernetes. Runs as root with CHOWN alone, and only once. */
export const ownDirectoryScript = `set -eu
if [ "$(stat -c %u:%g "$TOKEN_DIRECTORY")" != "$OWNER" ]; then
  chmod 0770 "$TOKEN_DIRECTORY"
  chown "$OWNER" "$TOKEN_DIRECTORY"
fi
`;

/** Of a KMS plugin: only root enters the socket's directory. */
const closeSocketDirectory = `chmod 0700 "$SOCKET_DIRECTORY"
`;

export const prepareSocketScript = `set -eu
umask 077
${closeSocketDirectory}`;

/**
 * On a control-plane node the PINs lie in files of root's (`pin`, `so-pin` in CONFIG_DIRECTORY): a Secret of the
 * cluster could not be read at a cold start, since reading it needs this plugin.
 */
const readPins = `read_pin() {
  case $(stat -c %a "$1") in
    400 | 600) ;;
    *) echo "softhsm: $1 must be for root alone (chmod 0400)" >&2; exit 1 ;;
  esac
  head -n 1 "$1"
}
SOFTHSM_PIN=$(read_pin "$CONFIG_DIRECTORY/pin")
SOFTHSM_SO_PIN=$(read_pin "$CONFIG_DIRECTORY/so-pin")
[ -n "$SOFTHSM_PIN" ] && [ -n "$SOFTHSM_SO_PIN" ] || { echo "softhsm: a PIN is empty" >&2; exit 1; }
export SOFTHSM_PIN SOFTHSM_SO_PIN
`;

const checkKleidiPin = `case "$SOFTHSM_PIN" in
  *[!A-Za-z0-9._-]*)
    echo "softhsm: use letters, digits, dots, _ and - for kleidi's PIN: it stands in a JSON file" >&2
    exit 1
    ;;
esac
`;

/** Of a KMS plugin that finds its PIN in a file. */
export const prepareKmsTokenScript = `set -eu
umask 077
${closeSocketDirectory}${readPins}
${look}
${make('kept')}`;

/** kleidi reads the PIN from its configuration alone: that is put together in memory, for its container only. */
export const prepareKleidiTokenScript = `set -eu
umask 077
${closeSocketDirectory}${readPins}${checkKleidiPin}
${look}
${make('refused')}
printf '{"path":"%s","tokenLabel":"%s","pin":"%s"}\\n' "$MODULE" "$TOKEN_LABEL" "$SOFTHSM_PIN" >"$CONFIG_FILE"
`;
