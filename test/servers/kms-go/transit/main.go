// A minimal KMS v2 plugin on k8s.io/kms and Go's own HTTP client: what the bench compares Transit with.
// Arguments: socket, Vault's address, file of its CA, Transit key; the token comes on standard input.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"k8s.io/kms/pkg/service"
)

const keyID = "minimal-transit-key"

type plugin struct {
	client *http.Client
	url    string
	token  string
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (made *plugin) Encrypt(ctx context.Context, _ string, plaintext []byte) (*service.EncryptResponse, error) {
	body, err := json.Marshal(map[string]string{"plaintext": base64.StdEncoding.EncodeToString(plaintext)})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, made.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-Vault-Token", made.token)
	response, err := made.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var reply struct {
		Data struct {
			Ciphertext string `json:"ciphertext"`
		} `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil {
		return nil, err
	}
	if reply.Data.Ciphertext == "" {
		return nil, errors.New("Vault did not encrypt: " + response.Status)
	}
	return &service.EncryptResponse{Ciphertext: []byte(reply.Data.Ciphertext), KeyID: keyID}, nil
}

func (made *plugin) Decrypt(context.Context, string, *service.DecryptRequest) ([]byte, error) {
	return nil, errors.New("not measured")
}

func (made *plugin) Status(context.Context) (*service.StatusResponse, error) {
	return &service.StatusResponse{Version: "v2", Healthz: "ok", KeyID: keyID}, nil
}

func main() {
	if len(os.Args) != 5 {
		must(errors.New("arguments: socket, address, CA file, key"))
	}
	token, err := bufio.NewReader(os.Stdin).ReadString('\n')
	must(err)
	pem, err := os.ReadFile(os.Args[3])
	must(err)
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(pem)
	made := &plugin{
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities}}},
		url:    os.Args[2] + "/v1/transit/encrypt/" + os.Args[4],
		token:  strings.TrimSpace(token),
	}
	must(service.NewGRPCService(os.Args[1], 10*time.Second, made).ListenAndServe())
}
