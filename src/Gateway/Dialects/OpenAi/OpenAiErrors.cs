using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Bytes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary><c>{"error": {"message", "type", "param", "code"}}</c>, as OpenAI's clients expect it.</summary>
internal sealed class OpenAiErrors : ModelApiErrors
{
    public static readonly OpenAiErrors Instance = new();

    public static void WriteBody(Failure failure, IBufferWriter<byte> output)
    {
        var (type, code) = WordsOf(failure);
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteString("message"u8, failure.Message);
        json.WriteString("type"u8, type);
        json.WriteString("param"u8, failure.Fields is [var first, ..] ? first.Field : null);
        json.WriteString("code"u8, code);
        json.WriteEndObject();
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    /// <summary>The error inside a stream that has begun.</summary>
    public static void WriteFrame(Failure failure, IBufferWriter<byte> output)
    {
        output.Write("data: "u8);
        WriteBody(failure, output);
        output.Write("\n\n"u8);
    }

    /// <summary>What a provider of this dialect answered instead of a completion.</summary>
    public static Failure Read(ProviderReply reply, ReadOnlyMemory<byte> body) => ProviderRefusals.Read(reply, body, Map);

    /// <summary>
    /// Servers differ: the usual <c>error</c> object, a bare text in it, or the object's fields at the top; <c>detail</c> from FastAPI, a
    /// text or a list of what is wrong, which Mistral puts under <c>message</c>.
    /// </summary>
    public static Failure Map(ProviderReply reply, JsonElement root)
    {
        var error = root.Member("error") is { ValueKind: JsonValueKind.Object } inner ? inner : root;
        var message = error.TextOf("message") ?? root.TextOf("error") ?? root.TextOf("detail") ?? DetailOf(root) ?? "";
        var code = error.Member("code");
        if (reply.Status == 200 && code.ValueKind == JsonValueKind.Number && code.TryGetInt32(out var status) && status is >= 400 and < 600)
        {
            reply = reply with { Status = status };
        }
        return ProviderRefusals.Map(reply, $"{code.AsText()} {error.TextOf("type")}".Trim(), message, error.TextOf("param"));
    }

    private static string? DetailOf(JsonElement root)
    {
        var holder = root.Member("message") is { ValueKind: JsonValueKind.Object } message ? message : root;
        var first = holder.ItemsOf("detail").FirstOrDefault();
        var place = string.Join('.', first.ItemsOf("loc").Select(step => step.AsText() ?? step.GetRawText()));
        return first.TextOf("msg") is { } text ? place.Length > 0 ? $"{place}: {text}" : text : null;
    }

    protected override void Write(Failure failure, string requestId, IBufferWriter<byte> output, IHeaderDictionary headers)
    {
        if (failure.RetryAfter is { } wait)
        {
            headers["retry-after-ms"] = Math.Ceiling(wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        }
        WriteBody(failure, output);
    }

    private static (string Type, string? Code) WordsOf(Failure failure) => failure.Kind switch
    {
        FailureKind.Invalid => ("invalid_request_error", failure.Code == "invalid_request" ? null : failure.Code),
        FailureKind.Unauthenticated => ("invalid_request_error", "invalid_api_key"),
        FailureKind.Forbidden => ("invalid_request_error", failure.Code == "forbidden" ? "permission_denied" : failure.Code),
        FailureKind.NotFound or FailureKind.MethodNotAllowed or FailureKind.UnsupportedMedia => ("invalid_request_error", failure.Code),
        FailureKind.Conflict => ("invalid_request_error", failure.Code),
        FailureKind.TooLarge => ("invalid_request_error", "request_too_large"),
        FailureKind.TooMany => (failure.Code == "token_limit_exceeded" ? "tokens" : "requests", "rate_limit_exceeded"),
        FailureKind.Quota => ("insufficient_quota", failure.Code),
        FailureKind.Upstream when failure.Code == "upstream_authentication" => ("upstream_error", failure.Code),
        FailureKind.Overloaded or FailureKind.Upstream or FailureKind.Timeout or FailureKind.Unavailable => ("server_error", failure.Code),
        FailureKind.Internal => ("server_error", "internal_error"),
    };
}
