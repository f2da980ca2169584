# Sourced by the commands beside it: where the engines are, which Java, and what they are told of this machine.
set -eu
HOME_OF_ENGINES=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
NAME=$(basename -- "$0")

if [ -n "${JAVA_HOME:-}" ]; then JAVA=$JAVA_HOME/bin/java; else JAVA=$(command -v java || true); fi
if [ -z "$JAVA" ] || [ ! -x "$JAVA" ]; then
    echo "$NAME: needs Java 11 or 17 (JAVA_HOME or java on PATH); on Debian: apt-get install openjdk-17-jre-headless" >&2
    exit 127
fi

# Hive keeps its metastore and its tables here, so that a table outlives the command that made it.
STATE=${DUCTRUNNER_ENGINES_STATE:-${HOME:-/tmp}/.ductrunner/engines-state}
TEMPORARY=${TMPDIR:-/tmp}
CONF=${HADOOP_CONF_DIR:-$HOME_OF_ENGINES/conf}
SHARE=$HOME_OF_ENGINES/share
HADOOP_JARS="$SHARE/hadoop/client/*:$SHARE/hadoop/tools/lib/*"

OPENED=""
for package in java.io java.lang java.lang.invoke java.lang.reflect java.net java.nio java.util java.util.concurrent \
    java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
    OPENED="$OPENED --add-opens=java.base/$package=ALL-UNNAMED"
done

# on_disk WORD: the word with addresses in HDFS, which is not here, as addresses of a folder that stands for it.
on_disk() {
    case $1 in
        *hdfs://*) printf '%s' "$1" | sed "s|hdfs://[^/]*/|file://$STATE/hdfs/|g" ;;
        *) printf '%s' "$1" ;;
    esac
}

# run_java CLASS_PATH CLASS [ARGUMENT…]: become the program. Small heaps and a quick start serve one machine best.
run_java() {
    class_path=$1
    shift
    mkdir -p "$STATE/hdfs"
    for word; do
        shift
        word=$(on_disk "$word.")
        set -- "$@" "${word%.}"
    done
    # shellcheck disable=SC2086 # options are several words
    exec "$JAVA" $OPENED -Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData \
        -Djava.io.tmpdir="$TEMPORARY" -Dductrunner.state="$STATE" \
        -Dductrunner.s3.endpoint="${AWS_ENDPOINT_URL_S3:-${AWS_ENDPOINT_URL:-}}" \
        -Dductrunner.s3.region="${AWS_REGION:-${AWS_DEFAULT_REGION:-us-east-1}}" \
        ${HADOOP_OPTS:-} ${HADOOP_CLIENT_OPTS:-} \
        -cp "$CONF${HADOOP_CLASSPATH:+:$HADOOP_CLASSPATH}:$class_path" "$@"
}
