// A minimal KMS v2 plugin on k8s.io/kms and miekg/pkcs11: what the bench compares the product's provider with.
// Arguments: socket, PKCS#11 module, token label, key label; the PIN comes on standard input.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/pkcs11"
	"k8s.io/kms/pkg/service"
)

const (
	keyID       = "minimal-key"
	nonceLength = 12
	tagBits     = 128
	sessions    = 16
)

var additionalData = []byte("minimal-kms-plugin")

type plugin struct {
	token *pkcs11.Ctx
	key   pkcs11.ObjectHandle
	free  chan pkcs11.SessionHandle
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(module, label, keyLabel, pin string) *plugin {
	token := pkcs11.New(module)
	if token == nil {
		must(errors.New("no PKCS#11 module"))
	}
	must(token.Initialize())
	slots, err := token.GetSlotList(true)
	must(err)
	for _, slot := range slots {
		info, err := token.GetTokenInfo(slot)
		if err != nil || strings.TrimSpace(info.Label) != label {
			continue
		}
		made := &plugin{token: token, free: make(chan pkcs11.SessionHandle, sessions)}
		for range sessions {
			session, err := token.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
			must(err)
			made.free <- session
		}
		session := <-made.free
		must(token.Login(session, pkcs11.CKU_USER, pin))
		must(token.FindObjectsInit(session, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
			pkcs11.NewAttribute(pkcs11.CKA_LABEL, keyLabel),
		}))
		found, _, err := token.FindObjects(session, 1)
		must(err)
		must(token.FindObjectsFinal(session))
		if len(found) == 0 {
			must(errors.New("no key of that label"))
		}
		made.key = found[0]
		made.free <- session
		return made
	}
	must(errors.New("no token of that label"))
	return nil
}

func (made *plugin) mechanism(nonce []byte) ([]*pkcs11.Mechanism, *pkcs11.GCMParams) {
	parameters := pkcs11.NewGCMParams(nonce, additionalData, tagBits)
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, parameters)}, parameters
}

func (made *plugin) Encrypt(_ context.Context, _ string, plaintext []byte) (*service.EncryptResponse, error) {
	session := <-made.free
	defer func() { made.free <- session }()
	nonce := make([]byte, nonceLength)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	mechanism, parameters := made.mechanism(nonce)
	defer parameters.Free()
	if err := made.token.EncryptInit(session, mechanism, made.key); err != nil {
		return nil, err
	}
	sealed, err := made.token.Encrypt(session, plaintext)
	if err != nil {
		return nil, err
	}
	return &service.EncryptResponse{Ciphertext: append(nonce, sealed...), KeyID: keyID}, nil
}

func (made *plugin) Decrypt(_ context.Context, _ string, request *service.DecryptRequest) ([]byte, error) {
	if request.KeyID != keyID || len(request.Ciphertext) < nonceLength {
		return nil, errors.New("not written by this plugin")
	}
	session := <-made.free
	defer func() { made.free <- session }()
	mechanism, parameters := made.mechanism(request.Ciphertext[:nonceLength])
	defer parameters.Free()
	if err := made.token.DecryptInit(session, mechanism, made.key); err != nil {
		return nil, err
	}
	return made.token.Decrypt(session, request.Ciphertext[nonceLength:])
}

func (made *plugin) Status(context.Context) (*service.StatusResponse, error) {
	return &service.StatusResponse{Version: "v2", Healthz: "ok", KeyID: keyID}, nil
}

func main() {
	if len(os.Args) != 5 {
		must(errors.New("arguments: socket, module, token label, key label"))
	}
	pin, err := bufio.NewReader(os.Stdin).ReadString('\n')
	must(err)
	server := service.NewGRPCService(os.Args[1], 10*time.Second,
		open(os.Args[2], os.Args[3], os.Args[4], strings.TrimSpace(pin)))
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() { <-stop; server.Shutdown() }()
	must(server.ListenAndServe())
}
