// A caller of idbridge: yes, no and "I don't know" told apart.
//
//	IDBRIDGE_KEY=… go run . [-ca FILE] HOST:PORT log-in LOGIN     (the password on standard input)
//	IDBRIDGE_KEY=… go run . [-ca FILE] HOST:PORT look-up EMAIL
//
// Exit codes: 0 yes, 1 no, 2 bad usage, 3 don't know. How the package pb is made: ../README.md.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/idbridge-client/pb"
)

const (
	deadline = 10 * time.Second
	usage    = "IDBRIDGE_KEY=… go run . [-ca FILE] HOST:PORT log-in LOGIN | look-up EMAIL"
)

// answer is one of three: a user; a "no" with its reason; or neither, and why nobody found out.
type answer struct {
	yes     *pb.User
	no      string
	unknown string
	wait    time.Duration
}

func told(user *pb.User, rejection *pb.Rejection) answer {
	if user != nil {
		return answer{yes: user}
	}
	name, known := pb.RejectionReason_name[int32(rejection.GetReason())]
	if rejection == nil || !known || rejection.GetReason() == pb.RejectionReason_REJECTION_REASON_UNSPECIFIED {
		// What a later version says, or nothing at all, is no answer.
		return answer{unknown: "an answer that this program doesn't know"}
	}
	return answer{no: strings.ToLower(strings.TrimPrefix(name, "REJECTION_REASON_"))}
}

func failed(err error) answer {
	st := status.Convert(err)
	said := answer{unknown: st.Code().String()}
	for _, detail := range st.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetDomain() == "idbridge" {
				said.unknown = detail.GetReason()
			}
		case *errdetails.RetryInfo:
			said.wait = detail.GetRetryDelay().AsDuration()
		}
	}
	// Any proxy says NOT_FOUND; with this reason it is the source's word.
	if st.Code() == codes.NotFound && said.unknown == "USER_NOT_FOUND" {
		return answer{no: "user_not_found"}
	}
	return said
}

func ask(ctx context.Context, client pb.IdentityServiceClient, command, identifier string) (answer, error) {
	if command == "look-up" {
		reply, err := client.GetUserByEmail(ctx, &pb.GetUserByEmailRequest{Email: identifier})
		if err != nil {
			return failed(err), nil
		}
		return told(reply.GetUser(), reply.GetRejection()), nil
	}
	password, err := io.ReadAll(os.Stdin)
	if err != nil {
		return answer{}, err
	}
	// A password is counted at the source: never repeat this call yourself.
	reply, err := client.Authenticate(ctx, &pb.AuthenticateRequest{
		Login:    identifier,
		Password: strings.TrimSuffix(string(password), "\n"),
	})
	if err != nil {
		return failed(err), nil
	}
	return told(reply.GetUser(), reply.GetRejection()), nil
}

func run() (int, error) {
	ca := flag.String("ca", "", "the authority of the broker's certificate; without it: no TLS")
	flag.Parse()
	key := os.Getenv("IDBRIDGE_KEY")
	if key == "" || flag.NArg() != 3 || (flag.Arg(1) != "log-in" && flag.Arg(1) != "look-up") {
		return 2, fmt.Errorf("%s", usage)
	}
	security := insecure.NewCredentials()
	if *ca != "" {
		// For a certificate of a public authority: credentials.NewTLS(nil).
		var err error
		if security, err = credentials.NewClientTLSFromFile(*ca, ""); err != nil {
			return 2, err
		}
	}
	connection, err := grpc.NewClient(flag.Arg(0), grpc.WithTransportCredentials(security))
	if err != nil {
		return 2, err
	}
	defer connection.Close()

	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return 2, err
	}
	requestID := hex.EncodeToString(random) // joins this call to the broker's records
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key, "x-request-id", requestID)
	said, err := ask(ctx, pb.NewIdentityServiceClient(connection), flag.Arg(1), flag.Arg(2))
	if err != nil {
		return 2, err
	}

	code, line := 3, "don't know: "+said.unknown
	switch {
	case said.yes != nil:
		code, line = 0, fmt.Sprintf("yes: %s %s", said.yes.GetId(), said.yes.GetEmail())
	case said.no != "":
		code, line = 1, "no: "+said.no
	case said.wait > 0:
		line += fmt.Sprintf(", ask again in %d s", int(said.wait.Seconds()))
	}
	fmt.Printf("%s (request %s)\n", line, requestID)
	return code, nil
}

func main() {
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}
