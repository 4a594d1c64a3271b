using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Bytes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary><c>{"type": "error", "error": {"type", "message"}, "request_id"}</c>, as Anthropic's clients expect it.</summary>
internal sealed class AnthropicErrors : ModelApiErrors
{
    public static readonly AnthropicErrors Instance = new();

    public override int StatusOf(Failure failure) => failure.Kind switch
    {
        FailureKind.Overloaded => 529,
        FailureKind.Quota => StatusCodes.Status402PaymentRequired,
        _ => base.StatusOf(failure),
    };

    public static void WriteBody(Failure failure, string? requestId, IBufferWriter<byte> output)
    {
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteString("type"u8, "error"u8);
        json.WriteStartObject("error"u8);
        json.WriteString("type"u8, TypeOf(failure));
        json.WriteString("message"u8, failure.Message);
        json.WriteEndObject();
        json.WriteString("request_id"u8, requestId);
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    /// <summary>The error inside a stream that has begun.</summary>
    public static void WriteFrame(Failure failure, string? requestId, IBufferWriter<byte> output)
    {
        output.Write("event: error\ndata: "u8);
        WriteBody(failure, requestId, output);
        output.Write("\n\n"u8);
    }

    /// <summary>What a provider of this dialect answered instead of a message.</summary>
    public static Failure Read(ProviderReply reply, ReadOnlyMemory<byte> body) => ProviderRefusals.Read(reply, body, Map);

    public static Failure Map(ProviderReply reply, JsonElement root)
    {
        var error = root.Member("error");
        return ProviderRefusals.Map(reply, error.TextOf("type") ?? "", error.TextOf("message") ?? "");
    }

    protected override void Write(Failure failure, string requestId, IBufferWriter<byte> output, IHeaderDictionary headers)
    {
        headers["request-id"] = requestId;
        WriteBody(failure, requestId, output);
    }

    private static string TypeOf(Failure failure) => failure.Kind switch
    {
        FailureKind.Invalid or FailureKind.Conflict or FailureKind.MethodNotAllowed or FailureKind.UnsupportedMedia =>
            "invalid_request_error",
        FailureKind.Unauthenticated => "authentication_error",
        FailureKind.Quota => "billing_error",
        FailureKind.Forbidden => "permission_error",
        FailureKind.NotFound => "not_found_error",
        FailureKind.TooLarge => "request_too_large",
        FailureKind.TooMany => "rate_limit_error",
        FailureKind.Timeout => "timeout_error",
        FailureKind.Overloaded => "overloaded_error",
        FailureKind.Upstream or FailureKind.Unavailable or FailureKind.Internal => "api_error",
    };
}
