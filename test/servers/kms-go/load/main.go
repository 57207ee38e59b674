// Measures a KMS v2 plugin as kube-apiserver reaches one: grpc-go over a unix socket, 32-byte seeds.
// Arguments: socket, what (encrypt, decrypt, status), how many in flight, how many calls. Prints nanoseconds as JSON.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	kms "k8s.io/kms/apis/v2"
)

const (
	seedLength = 32
	warmUp     = 500
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	must(err)
	return value
}

func callOf(client kms.KeyManagementServiceClient, what string) func() error {
	ctx := context.Background()
	seed := make([]byte, seedLength)
	_, err := rand.Read(seed)
	must(err)
	switch what {
	case "encrypt":
		return func() error {
			_, err := client.Encrypt(ctx, &kms.EncryptRequest{Plaintext: seed, Uid: "measured"})
			return err
		}
	case "decrypt":
		sealed, err := client.Encrypt(ctx, &kms.EncryptRequest{Plaintext: seed, Uid: "measured"})
		must(err)
		return func() error {
			_, err := client.Decrypt(ctx, &kms.DecryptRequest{
				Ciphertext: sealed.Ciphertext, KeyId: sealed.KeyId, Annotations: sealed.Annotations, Uid: "measured"})
			return err
		}
	case "status":
		return func() error { _, err := client.Status(ctx, &kms.StatusRequest{}); return err }
	}
	must(errors.New("encrypt, decrypt or status"))
	return nil
}

func run(call func() error, inFlight, calls int) []int64 {
	took := make([]int64, calls)
	var next sync.Mutex
	taken := 0
	var workers sync.WaitGroup
	for range inFlight {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for {
				next.Lock()
				index := taken
				taken++
				next.Unlock()
				if index >= calls {
					return
				}
				started := time.Now()
				must(call())
				took[index] = time.Since(started).Nanoseconds()
			}
		}()
	}
	workers.Wait()
	return took
}

func main() {
	if len(os.Args) != 5 {
		must(errors.New("arguments: socket, encrypt|decrypt|status, in flight, calls"))
	}
	connection, err := grpc.NewClient("unix://"+os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(err)
	call := callOf(kms.NewKeyManagementServiceClient(connection), os.Args[2])
	inFlight := number(os.Args[3])
	run(call, inFlight, warmUp)
	must(json.NewEncoder(os.Stdout).Encode(run(call, inFlight, number(os.Args[4]))))
}
