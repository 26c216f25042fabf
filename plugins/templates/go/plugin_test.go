// What idbridge will ask, over a real connection. `go test`

package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/__NAME__/pb"
)

const key = "a key of the tests"

type client struct {
	t    *testing.T
	stub pb.IdentityServiceClient
	key  string
}

func started(t *testing.T, source Source) client {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(source, key)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	connection, err := grpc.Dial(listener.Addr().String(), grpc.WithInsecure())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return client{t: t, stub: pb.NewIdentityServiceClient(connection), key: key}
}

func people(t *testing.T) Source {
	t.Helper()
	people, err := readPeople("people.toml")
	if err != nil {
		t.Fatal(err)
	}
	return people
}

func (client client) logIn(login, password string) string {
	ctx, cancel := client.call()
	defer cancel()
	answer, err := client.stub.Authenticate(ctx, &pb.AuthenticateRequest{Login: login, Password: password})
	return client.said(answer.GetUser(), answer.GetRejection(), err)
}

func (client client) lookUp(email string) string {
	ctx, cancel := client.call()
	defer cancel()
	answer, err := client.stub.GetUserByEmail(ctx, &pb.GetUserByEmailRequest{Email: email})
	return client.said(answer.GetUser(), answer.GetRejection(), err)
}

func (client client) call() (context.Context, context.CancelFunc) {
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+client.key)
	return context.WithTimeout(ctx, 5*time.Second)
}

func (client client) said(user *pb.User, rejection *pb.Rejection, err error) string {
	if user != nil {
		return "user " + user.Id
	}
	if rejection != nil {
		return strings.TrimPrefix(rejection.Reason.String(), "REJECTION_REASON_")
	}
	said := status.Convert(err)
	for _, detail := range said.Details() {
		if info, isInfo := detail.(*errdetails.ErrorInfo); isInfo && info.Domain == "idbridge" {
			return said.Code().String() + " " + info.Reason
		}
	}
	client.t.Fatalf("no ErrorInfo: %v", err)
	return ""
}

func (client client) want(got, want string) {
	client.t.Helper()
	if got != want {
		client.t.Errorf("%s, not %s", got, want)
	}
}

func TestAnswers(t *testing.T) {
	client := started(t, people(t))
	for _, row := range [][3]string{
		{"ada@example.com", "a password of ada", "user p-1"},
		{"ADA@example.com", "a password of ada", "user p-1"},
		{"ada@example.com", "another", "WRONG_PASSWORD"},
		{"grace", "a password of grace", "user p-2"},
		{"sam@example.com", "a password of sam", "ACCOUNT_DISABLED"},
		{"sam@example.com", "another", "WRONG_PASSWORD"},
		{"nobody@example.com", "another", "UNKNOWN_USER"},
	} {
		client.want(client.logIn(row[0], row[1]), row[2])
	}
	for _, row := range [][2]string{
		{"ada@example.com", "user p-1"},
		{"grace.hopper@example.com", "user p-2"},
		{"sam@example.com", "ACCOUNT_DISABLED"},
		{"twins@example.com", "Internal AMBIGUOUS_USER"},
		{"nobody@example.com", "NotFound USER_NOT_FOUND"},
		{"grace", "InvalidArgument INVALID_IDENTIFIER"},
	} {
		client.want(client.lookUp(row[0]), row[1])
	}
}

// ill can't find out anything.
type ill struct{ problem error }

func (ill ill) CheckPassword(context.Context, string, string) (Answer, error) {
	return Answer{}, ill.problem
}

func (ill ill) FindByEmail(context.Context, string) (Answer, error) {
	if ill.problem == nil {
		panic("a bug")
	}
	return Answer{}, ill.problem
}

func TestAnOutageIsNoNo(t *testing.T) {
	for _, row := range []struct {
		problem error
		want    string
	}{
		{CouldNotFindOut{Reason: "SOURCE_UNAVAILABLE"}, "Unavailable SOURCE_UNAVAILABLE"},
		{CouldNotFindOut{Reason: "SOURCE_THROTTLED", Wait: 7}, "ResourceExhausted SOURCE_THROTTLED"},
		{errors.New("a bug"), "Internal INTERNAL"},
		{nil, "Internal INTERNAL"},
	} {
		client := started(t, ill{row.problem})
		client.want(client.logIn("ada@example.com", "a password of ada"), row.want)
		client.want(client.lookUp("ada@example.com"), row.want)
	}
}

func TestTheKeyIsAskedFor(t *testing.T) {
	client := started(t, people(t))
	for _, client.key = range []string{"", "another"} {
		client.want(client.logIn("ada@example.com", "a password of ada"), "Unauthenticated CALLER_UNAUTHENTICATED")
		client.want(client.lookUp("nobody@example.com"), "Unauthenticated CALLER_UNAUTHENTICATED")
	}
}
