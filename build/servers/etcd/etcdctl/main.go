// Command etcdctl is go.etcd.io/etcd/etcdctl as it is released.
package main

import "go.etcd.io/etcd/etcdctl/v3/ctlv3"

func main() {
	ctlv3.MustStart()
}
