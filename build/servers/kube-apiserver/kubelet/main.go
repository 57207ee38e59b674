// A kubelet's streaming endpoints and nothing else of it, for tests: what kube-apiserver proxies `kubectl exec` and
// `kubectl logs` to. The protocol is Kubernetes' own (k8s.io/kubelet, cri/streaming/remotecommand); a container is
// a table that says which program of this machine plays a command and where its files and addresses are.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	remotecommandconsts "k8s.io/apimachinery/pkg/util/remotecommand"
	clientremotecommand "k8s.io/client-go/tools/remotecommand"
	"k8s.io/kubelet/pkg/cri/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

type configuration struct {
	Certificate     string `json:"certificate"`
	Key             string `json:"key"`
	ClientAuthority string `json:"clientAuthority"`
	// What a container has on its PATH, and where that is here.
	Programs map[string]string `json:"programs"`
	// Beginnings of arguments' values in the container, and what stands there here.
	Places map[string]string `json:"places"`
	// <namespace>_<pod>_<container>.log in it.
	LogDirectory string `json:"logDirectory"`
}

// Read anew for each request, so that a test can change it.
func readConfiguration() (configuration, error) {
	var read configuration
	text, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	return read, err
}

type executor struct{}

func (executor) ExecInContainer(ctx context.Context, _ string, _ types.UID, _ string, command []string, in io.Reader, out, errors io.WriteCloser, _ bool, _ <-chan clientremotecommand.TerminalSize, _ time.Duration) error {
	config, err := readConfiguration()
	if err != nil {
		return err
	}
	program, found := config.Programs[command[0]]
	if !found {
		// In the words of a container runtime (runc).
		return fmt.Errorf("exec: %q: executable file not found in $PATH", command[0])
	}
	arguments := make([]string, 0, len(command)-1)
	for _, argument := range command[1:] {
		for inside, here := range config.Places {
			argument = strings.ReplaceAll(argument, inside, here)
		}
		arguments = append(arguments, argument)
	}
	child := exec.CommandContext(ctx, program, arguments...)
	child.Env = []string{"PATH=/usr/bin:/bin", "ETCDCTL_API=3"}
	child.Stdin, child.Stdout, child.Stderr = in, out, errors
	if err := child.Run(); err != nil {
		if ended, ok := err.(*exec.ExitError); ok {
			return utilexec.CodeExitError{Err: err, Code: ended.ExitCode()}
		}
		return err
	}
	return nil
}

func serveExec(w http.ResponseWriter, req *http.Request) {
	options, err := remotecommand.NewOptions(req)
	command := req.URL.Query()["command"]
	if err != nil || len(command) == 0 {
		http.Error(w, "no command", http.StatusBadRequest)
		return
	}
	remotecommand.ServeExec(w, req, executor{}, req.PathValue("pod"), "", req.PathValue("container"), command, options,
		time.Minute, 30*time.Second, remotecommandconsts.SupportedStreamingProtocols)
}

func serveLog(w http.ResponseWriter, req *http.Request) {
	config, err := readConfiguration()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	suffix := ".log"
	if req.URL.Query().Get("previous") == "true" {
		suffix = ".previous.log"
	}
	name := strings.Join([]string{req.PathValue("namespace"), req.PathValue("pod"), req.PathValue("container")}, "_")
	text, err := os.ReadFile(filepath.Join(config.LogDirectory, filepath.Base(name+suffix)))
	if err != nil {
		http.Error(w, fmt.Sprintf("container %q has no log", req.PathValue("container")), http.StatusBadRequest)
		return
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	if tail, err := strconv.Atoi(req.URL.Query().Get("tailLines")); err == nil && tail < len(lines) {
		lines = lines[len(lines)-tail:]
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write(append(bytes.Join(lines, nil), '\n'))
}

func main() {
	if len(os.Args) == 2 {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(1)
}

func serve() error {
	config, err := readConfiguration()
	if err != nil {
		return err
	}
	certificate, err := tls.LoadX509KeyPair(config.Certificate, config.Key)
	if err != nil {
		return err
	}
	authority, err := os.ReadFile(config.ClientAuthority)
	if err != nil {
		return err
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(authority)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	routes := http.NewServeMux()
	routes.HandleFunc("/exec/{namespace}/{pod}/{container}", serveExec)
	routes.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", serveLog)
	// Beside the configuration, whole or not at all.
	port := os.Args[1] + ".port"
	if err := os.WriteFile(port+".new", []byte(strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)), 0o600); err != nil {
		return err
	}
	if err := os.Rename(port+".new", port); err != nil {
		return err
	}
	server := http.Server{Handler: routes, TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{certificate},
		ClientCAs:    clients,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		// SPDY upgrades an HTTP/1.1 connection.
		NextProtos: []string{"http/1.1"},
	}}
	return server.ServeTLS(listener, "", "")
}
