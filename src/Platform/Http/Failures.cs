using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Platform.Http;

/// <summary>What the caller is told about an exception or a bare status.</summary>
internal static class Failures
{
    // Tools that send a body without saying what it is are the usual reason.
    private const string WrongContentType = "The content type is not supported; JSON needs the header Content-Type: application/json";

    public static Failure From(Exception error, HttpContext context, bool isDraining) => error switch
    {
        Failure failure => failure,
        BadHttpRequestException bad => FromBadRequest(bad),
        JsonException json => FromJson(json),
        DecoderFallbackException => Failure.Invalid("The body is not valid UTF-8"),
        _ when IsUnstorable(error) =>
            Failure.Invalid("A text holds a character that cannot be kept, such as NUL or half of a surrogate pair"),
        _ when IsTooLargeToStore(error) => Failure.Invalid("A number or a name is larger than what can be kept"),
        InvalidOperationException or NotSupportedException when HasUnknownCharset(context.Request) =>
            UnsupportedMedia("The charset of the body is not known"),
        ArgumentException or FormatException when !context.Request.HasAddress() => Failure.Invalid("The Host header names no host"),
        // The host listens while its tables are still being made.
        PostgresException when context.RequestServices.GetService<DatabaseReadiness>() is { IsReady: false } =>
            Failure.Unavailable("The server is starting", TimeSpan.FromSeconds(1)),
        _ when Outage.Is(error) => Failure.Unavailable("The database cannot be reached", TimeSpan.FromSeconds(5)),
        OperationCanceledException when isDraining => Failure.Unavailable("The server is shutting down", TimeSpan.FromSeconds(1)),
        _ => new(FailureKind.Internal, "internal_error", "Something went wrong on our side"),
    };

    /// <summary>For an answer that has a status and no body, as routing gives it; null where the status speaks for itself.</summary>
    public static Failure? From(int status, HttpContext context) => status switch
    {
        StatusCodes.Status400BadRequest => Failure.Invalid("The request is not valid"),
        StatusCodes.Status401Unauthorized => Failure.Unauthenticated("Sign in first"),
        StatusCodes.Status403Forbidden => Failure.Forbidden("Not allowed"),
        StatusCodes.Status404NotFound => new(FailureKind.NotFound, "not_found", "Not found"),
        StatusCodes.Status405MethodNotAllowed => new(FailureKind.MethodNotAllowed, "method_not_allowed",
            context.Response.Headers.Allow is { Count: > 0 } allowed
                ? $"{context.Request.Method} is not allowed here, but {allowed}"
                : $"{context.Request.Method} is not allowed here"),
        StatusCodes.Status413PayloadTooLarge => TooLarge(),
        StatusCodes.Status415UnsupportedMediaType => UnsupportedMedia(WrongContentType),
        _ => null,
    };

    private static Failure FromBadRequest(BadHttpRequestException bad) => bad switch
    {
        { StatusCode: StatusCodes.Status413PayloadTooLarge } => TooLarge(),
        { StatusCode: StatusCodes.Status415UnsupportedMediaType } => UnsupportedMedia(WrongContentType),
        { StatusCode: StatusCodes.Status408RequestTimeout } => Failure.Invalid("The body came too slowly", code: "request_timeout"),
        { InnerException: JsonException json } => FromJson(json),
        { InnerException: DecoderFallbackException } => Failure.Invalid("The body is not valid UTF-8"),
        { InnerException: BadHttpRequestException inner } => FromBadRequest(inner),
        // Its text names our types, so it stays here.
        _ => Failure.Invalid("The request is not valid"),
    };

    private static Failure FromJson(JsonException json)
    {
        if (json.InnerException is JsonException || json.Path is null)
        {
            return Failure.Invalid(json.LineNumber is { } line
                ? $"The body is not valid JSON (line {line + 1}, byte {json.BytePositionInLine + 1})"
                : "The body is not valid JSON", code: "invalid_json");
        }
        if (Missing(json.Message) is { } names)
        {
            var prefix = FieldOf(json.Path) is { Length: > 0 } path ? $"{path}." : "";
            return new(FailureKind.Invalid, "invalid_request", $"Missing: {string.Join(", ", names)}",
                [.. names.Select(name => new FieldError(prefix + name, "is required"))]);
        }
        return FieldOf(json.Path) is { Length: > 0 } field
            ? Failure.Invalid($"{field} has the wrong type", field)
            : Failure.Invalid("The body has the wrong type");
    }

    /// <summary>
    /// No text of PostgreSQL holds NUL, and no <c>jsonb</c> half a pair; what only stores a client's words need not look for them.
    /// </summary>
    private static bool IsUnstorable(Exception error) => error switch
    {
        EncoderFallbackException => true,
        DbUpdateException { InnerException: { } inner } => IsUnstorable(inner),
        PostgresException refused => refused.SqlState is PostgresErrorCodes.UntranslatableCharacter
            or PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.InvalidTextRepresentation,
        _ => false,
    };

    /// <summary>A number that no <c>numeric</c> holds, also inside of <c>jsonb</c>; a text that no index holds.</summary>
    private static bool IsTooLargeToStore(Exception error) => error switch
    {
        DbUpdateException { InnerException: { } inner } => IsTooLargeToStore(inner),
        PostgresException refused =>
            refused.SqlState is PostgresErrorCodes.NumericValueOutOfRange or PostgresErrorCodes.ProgramLimitExceeded,
        _ => false,
    };

    private static string FieldOf(string path) => path.TrimStart('$').TrimStart('.');

    /// <summary>The serializer tells the names of missing members only in its sentence: <c>… including: 'a', 'b'.</c></summary>
    private static string[]? Missing(string message)
    {
        const string before = "missing required properties including: ";
        var start = message.IndexOf(before, StringComparison.Ordinal);
        if (start < 0)
        {
            return null;
        }
        var rest = message[(start + before.Length)..];
        var names = rest.Split('\'').Where((_, index) => index % 2 == 1).ToArray();
        return names.Length > 0 ? names : null;
    }

    private static bool HasUnknownCharset(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.Charset.HasValue)
        {
            return false;
        }
        try
        {
            _ = Encoding.GetEncoding(type.Charset.Value.Trim('"'));
            return false;
        }
        catch (Exception unknown) when (unknown is ArgumentException or NotSupportedException)
        {
            // Not supported is what the framework says of UTF-7.
            return true;
        }
    }

    private static Failure TooLarge() => new(FailureKind.TooLarge, "request_too_large", "The request body is too large");

    private static Failure UnsupportedMedia(string message) => new(FailureKind.UnsupportedMedia, "unsupported_media_type", message);
}
