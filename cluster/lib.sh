# shellcheck shell=bash
# Shared by up, down, daemon and submit, which all set -euo pipefail.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
state=${SPARKMODEL_CLUSTER:-$(dirname "$here")/.cluster}
start_seconds=60
stop_seconds=10
# daemons are those that up starts; with --ha resourcemanager2, too.
daemons=(namenode datanode resourcemanager nodemanager1 nodemanager2 jobhistory historyserver)
# on_demand are started by cluster/daemon alone.
on_demand=(sparkmaster sparkworker)

say() { echo "cluster: $*" >&2; }
die() {
  say "$*"
  exit 1
}

# One command at a time changes the cluster. Daemons must not inherit the
# descriptor, or the lock would live as long as they do.
lock_cluster() {
  exec 8<"$here"
  flock -w 600 8 || die "another cluster command has been running for ten minutes"
}

load_settings() {
  [[ -f $state/env ]] || die "no cluster is up: run cluster/up"
  # shellcheck source=/dev/null
  source "$state/settings"
  # shellcheck source=/dev/null
  source "$state/env"
  has_two_managers
}

has_two_managers() {
  [[ $HA == no || ${daemons[-1]} == resourcemanager2 ]] || daemons+=(resourcemanager2)
}

running() { [[ $(ps -o stat= -p "$1" 2>/dev/null) == [!Z]* ]]; }

# Command lines carry this, so that a pid taken over by another process is
# never mistaken for the daemon's.
mark() { echo "-Dsparkmodel.daemon=$state/$1"; }

pid_file() { echo "$state/pids/$1.pid"; }

live_pid() {
  local pid
  pid=$(cat "$(pid_file "$1")" 2>/dev/null) || return 1
  running "$pid" && ps -ww -o args= -p "$pid" | grep -qF -- "$(mark "$1") " || return 1
  echo "$pid"
}

wait_gone() {
  local deadline=$((SECONDS + stop_seconds))
  while running "$1"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

known_daemon() {
  local name
  for name in "${daemons[@]}" "${on_demand[@]}"; do
    [[ $name != "$1" ]] || return 0
  done
  die "unknown daemon '$1'; there are ${daemons[*]} ${on_demand[*]}"
}

# The name of the variable in .cluster/settings that holds a NodeManager's port.
port_of() { local name=${1}_${2}_port; echo "${name^^}"; }

launch_daemon() {
  local name=$1 main port variable package
  local classpath="$state/conf:$state/webroot:$HADOOP_LIB/*"
  local options=(
    "$(mark "$name")" -Xmx400m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData
    -Djava.net.preferIPv4Stack=true "-Djava.io.tmpdir=$state/tmp"
  )
  local arguments=()
  for package in java.lang java.lang.invoke java.io java.net java.nio java.util java.util.concurrent sun.nio.ch; do
    options+=("--add-opens=java.base/$package=ALL-UNNAMED")
  done
  case $name in
    namenode) main=org.apache.hadoop.hdfs.server.namenode.NameNode ;;
    datanode) main=org.apache.hadoop.hdfs.server.datanode.DataNode ;;
    resourcemanager*)
      main=org.apache.hadoop.yarn.server.resourcemanager.ResourceManager
      [[ $HA == no ]] || classpath="$state/conf/$name:$classpath"
      ;;
    nodemanager?)
      main=org.apache.hadoop.yarn.server.nodemanager.NodeManager
      options+=("-Dnm.name=$name")
      for port in rpc localizer http collector shuffle; do
        variable=$(port_of "$name" "$port")
        options+=("-Dnm.$port.port=${!variable}")
      done
      ;;
    jobhistory) main=org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer ;;
    historyserver)
      main=org.apache.spark.deploy.history.HistoryServer
      classpath="$state/conf:$SPARK_HOME_4/jars/*"
      arguments=(--properties-file "$state/conf/spark-history.conf")
      ;;
    sparkmaster)
      main=org.apache.spark.deploy.master.Master
      classpath="$state/conf:$SPARK_HOME_4/jars/*"
      arguments=(--host 127.0.0.1 --port "$SPARK_MASTER_PORT" --webui-port "$SPARK_MASTER_HTTP_PORT")
      options+=("-Dspark.ui.reverseProxy=${SPARK_REVERSE_PROXY:-true}")
      ;;
    sparkworker)
      main=org.apache.spark.deploy.worker.Worker
      classpath="$state/conf:$SPARK_HOME_4/jars/*"
      arguments=(--host 127.0.0.1 --webui-port "$SPARK_WORKER_HTTP_PORT" --cores 4 --memory 4g
        --work-dir "$state/data/sparkworker" "$SPARK_MASTER")
      options+=("-Dspark.ui.reverseProxy=${SPARK_REVERSE_PROXY:-true}")
      ;;
  esac
  (
    cd "$state/data" || exit
    # Without a Scala version the worker looks for a build of Spark.
    SPARK_LOCAL_IP=127.0.0.1 SPARK_SCALA_VERSION=2.13 exec setsid "$JAVA_HOME/bin/java" "${options[@]}" -cp "$classpath" "$main" "${arguments[@]}"
  ) >>"$state/logs/$name.log" 2>&1 </dev/null 8<&- &
  echo $! >"$(pid_file "$name")"
}

# Waits until the daemon itself answers, then until it is of use to others: a
# NameNode or ResourceManager may still believe in one that has just died.
await_daemon() {
  local name=$1 variable
  case $name in
    namenode) await "$name" "$HDFS_NAMENODE_URL/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo" '"Safemode" *: *""' ;;
    datanode)
      await "$name" "$HDFS_DATANODE_URL/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo" 'ActorState[\\" :]*RUNNING' &&
        await "$name" "$HDFS_NAMENODE_URL/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState" '"NumLiveDataNodes" *: *1'
      ;;
    resourcemanager) await "$name" "http://127.0.0.1:$RM_HTTP_PORT/ws/v1/cluster/info" '"haState":"(ACTIVE|STANDBY)"' ;;
    resourcemanager2) await "$name" "http://127.0.0.1:$RM2_HTTP_PORT/ws/v1/cluster/info" '"haState":"(ACTIVE|STANDBY)"' ;;
    nodemanager?)
      variable=$(port_of "$name" http)
      await "$name" "http://127.0.0.1:${!variable}/ws/v1/node/info" '"nodeHealthy":true' || return 1
      variable=$(port_of "$name" rpc)
      await "$name" "$YARN_RM_URL/ws/v1/cluster/nodes?states=RUNNING" "\"id\":\"[^\"]*:${!variable}\""
      ;;
    jobhistory) await "$name" "$MAPREDUCE_HISTORY_URL/ws/v1/history/info" '"hadoopVersion"' ;;
    historyserver) await "$name" "$SPARK_HISTORY_URL/api/v1/version" '"spark"' ;;
    sparkmaster) await "$name" "$SPARK_MASTER_URL/json/" '"status" *: *"ALIVE"' ;;
    sparkworker) await "$name" "$SPARK_MASTER_URL/json/" '"aliveworkers" *: *1' ;;
  esac
}

# await NAME URL PATTERN
await() {
  if ! python3 "$here/await.py" --pid "$(cat "$(pid_file "$1")")" --seconds "$start_seconds" "$2" "$3"; then
    say "$1 did not start; its log ends:"
    tail -n 30 "$state/logs/$1.log" >&2 || true
    return 1
  fi
}

# signal_daemon SIGNAL NAME returns when the process has gone.
signal_daemon() {
  local pid
  if pid=$(live_pid "$2"); then
    kill "-$1" "$pid" 2>/dev/null || true
    if ! wait_gone "$pid"; then
      kill -KILL "$pid" 2>/dev/null || true
      wait_gone "$pid" || die "$2 (pid $pid) does not end"
    fi
  fi
  rm -f "$(pid_file "$2")"
}

# hadoop MAIN_CLASS ARGUMENT...: runs a command of Hadoop's against the cluster.
hadoop() {
  "$JAVA_HOME/bin/java" -Xmx200m -XX:TieredStopAtLevel=1 -XX:-UsePerfData "-Djava.io.tmpdir=$state/tmp" \
    -cp "$state/conf:$HADOOP_LIB/*" "$@" 8<&- </dev/null
}

rm_admin() {
  local out
  out=$(hadoop org.apache.hadoop.yarn.client.cli.RMAdminCLI "$@" 2>&1) || die "RMAdminCLI $*: $out"
}

# activate NAME makes one of two resource managers the active one.
activate() {
  local id other
  case $1 in
    resourcemanager) id=rm1 other=resourcemanager2 ;;
    resourcemanager2) id=rm2 other=resourcemanager ;;
    *) die "$1 is no resource manager" ;;
  esac
  if live_pid "$other" >/dev/null; then
    rm_admin -transitionToStandby "rm$((3 - ${id#rm}))"
  fi
  rm_admin -transitionToActive --forceactive "$id"
}

# Containers that outlived their NodeManager and programs of cluster/submit work
# below data, whatever their command lines say.
stray_pids() {
  local link
  for link in /proc/[0-9]*/cwd; do
    if [[ $(readlink "$link" 2>/dev/null) == "$state/data/"* ]]; then
      link=${link%/cwd}
      echo "${link#/proc/}"
    fi
  done
}

# Nothing here is worth an orderly end.
take_down() {
  local name pid strays
  [[ -d $state ]] || return 0
  for name in "${daemons[@]}" resourcemanager2 "${on_demand[@]}"; do
    signal_daemon KILL "$name"
  done
  while strays=$(stray_pids) && [[ -n $strays ]]; do
    for pid in $strays; do
      kill -KILL "$pid" 2>/dev/null || true
    done
    for pid in $strays; do
      wait_gone "$pid" || die "process $pid does not end"
    done
  done
  rm -rf "$state"
}
