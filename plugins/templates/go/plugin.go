// An identity source for idbridge: kind = "grpc". What is asked of __NAME__ stands in people.go; this file is the wire.
//
//	IDBRIDGE_PLUGIN_KEY=… ./plugin [--listen 127.0.0.1:50061] people.toml
//
// Callers send the key as `authorization: Bearer KEY`. Beyond loopback, put TLS before it, or listen on unix:///PATH.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"example.com/__NAME__/pb"
)

// docs/errors.md of idbridge: the reason, and its status.
var statuses = map[string]codes.Code{
	"AMBIGUOUS_USER":            codes.Internal,
	"CALLER_UNAUTHENTICATED":    codes.Unauthenticated,
	"INTERNAL":                  codes.Internal,
	"INVALID_IDENTIFIER":        codes.InvalidArgument,
	"SOURCE_CREDENTIAL_REFUSED": codes.Internal,
	"SOURCE_PROTOCOL":           codes.Internal,
	"SOURCE_THROTTLED":          codes.ResourceExhausted,
	"SOURCE_UNAVAILABLE":        codes.Unavailable,
	"USER_NOT_FOUND":            codes.NotFound,
}

type plugin struct {
	pb.UnimplementedIdentityServiceServer
	source Source
}

func (plugin plugin) Authenticate(ctx context.Context, asked *pb.AuthenticateRequest) (*pb.AuthenticateResponse, error) {
	answer, err := plugin.source.CheckPassword(ctx, asked.Login, asked.Password)
	switch {
	case err != nil:
		return nil, told(err)
	case answer.User != nil:
		return &pb.AuthenticateResponse{Outcome: &pb.AuthenticateResponse_User{User: answer.User}}, nil
	case answer.Rejection == pb.RejectionReason_REJECTION_REASON_UNSPECIFIED:
		return nil, refusal("INTERNAL", 0) // nobody: of a password that is no answer
	}
	rejection := &pb.Rejection{Reason: answer.Rejection}
	return &pb.AuthenticateResponse{Outcome: &pb.AuthenticateResponse_Rejection{Rejection: rejection}}, nil
}

func (plugin plugin) GetUserByEmail(ctx context.Context, asked *pb.GetUserByEmailRequest) (*pb.GetUserByEmailResponse, error) {
	if strings.Count(asked.Email, "@") != 1 {
		return nil, refusal("INVALID_IDENTIFIER", 0)
	}
	answer, err := plugin.source.FindByEmail(ctx, asked.Email)
	switch {
	case err != nil:
		return nil, told(err)
	case answer.User != nil:
		return &pb.GetUserByEmailResponse{Outcome: &pb.GetUserByEmailResponse_User{User: answer.User}}, nil
	case answer.Rejection == pb.RejectionReason_REJECTION_REASON_UNSPECIFIED:
		return nil, refusal("USER_NOT_FOUND", 0)
	}
	rejection := &pb.Rejection{Reason: answer.Rejection}
	return &pb.GetUserByEmailResponse{Outcome: &pb.GetUserByEmailResponse_Rejection{Rejection: rejection}}, nil
}

// told is what a caller is told of an error. Whatever it is, it is no no.
func told(err error) error {
	var problem CouldNotFindOut
	if errors.As(err, &problem) {
		return refusal(problem.Reason, problem.Wait)
	}
	// The type alone: a message may quote what somebody typed.
	fmt.Fprintf(os.Stderr, "a bug: %T\n", err)
	return refusal("INTERNAL", 0)
}

func refusal(reason string, wait int64) error {
	code, known := statuses[reason]
	if !known {
		reason, code = "INTERNAL", codes.Internal
	}
	said := status.New(code, reason)
	info := &errdetails.ErrorInfo{Reason: reason, Domain: "idbridge"}
	detailed, err := said.WithDetails(info)
	if code == codes.ResourceExhausted || code == codes.Unavailable {
		if wait < 1 {
			wait = 1
		} else if wait > 60 {
			wait = 60
		}
		retry := &errdetails.RetryInfo{RetryDelay: &durationpb.Duration{Seconds: wait}}
		detailed, err = said.WithDetails(info, retry)
	}
	if err != nil {
		return said.Err()
	}
	return detailed.Err()
}

// guarded asks for the key before anything else, and answers INTERNAL where a bug would end the process.
func guarded(key string) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, asked interface{}, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (answer interface{}, err error) {
		sent, _ := metadata.FromIncomingContext(ctx)
		if keys := sent.Get("authorization"); len(keys) != 1 || !equal(keys[0], "Bearer "+key) {
			return nil, refusal("CALLER_UNAUTHENTICATED", 0)
		}
		defer func() {
			if bug := recover(); bug != nil {
				fmt.Fprintf(os.Stderr, "a bug: %T\n", bug)
				answer, err = nil, refusal("INTERNAL", 0)
			}
		}()
		return next(ctx, asked)
	}
}

func newServer(source Source, key string) *grpc.Server {
	server := grpc.NewServer(grpc.UnaryInterceptor(guarded(key)), grpc.MaxRecvMsgSize(65536))
	pb.RegisterIdentityServiceServer(server, plugin{source: source})
	return server
}

func listen(address string) (net.Listener, error) {
	if path := strings.TrimPrefix(address, "unix://"); path != address {
		return net.Listen("unix", path)
	}
	return net.Listen("tcp", address)
}

func main() {
	address := flag.String("listen", "127.0.0.1:50061", "host:port or unix:///path")
	flag.Parse()
	key := os.Getenv("IDBRIDGE_PLUGIN_KEY")
	if key == "" || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "IDBRIDGE_PLUGIN_KEY=… plugin [--listen ADDRESS] people.toml")
		os.Exit(2)
	}
	people, err := readPeople(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "the people can't be read")
		os.Exit(2)
	}
	listener, err := listen(*address)
	if err != nil {
		fmt.Fprintln(os.Stderr, "can't listen there")
		os.Exit(2)
	}
	server := newServer(people, key)
	if bound, isTCP := listener.Addr().(*net.TCPAddr); isTCP {
		fmt.Printf("listening on port %d\n", bound.Port)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		<-stop
		server.GracefulStop() // calls in flight are finished
	}()
	if err := server.Serve(listener); err != nil {
		os.Exit(1)
	}
}
