using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>What a client asks of the Gateway itself, in headers: where to go, with which key, where else, for how long.</summary>
internal sealed record CallWishes
{
    private static readonly string[] Names =
        ["x-gtwy-service", "x-gtwy-provider-key", "x-gtwy-fallback", "x-gtwy-timeout-ms", "x-gtwy-metadata", "x-gtwy-wire"];

    private const int MaxLength = 4_096;
    private const int MaxTimeoutMs = 600_000;

    /// <summary><c>x-gtwy-service</c>: the provider of a model that is named without one.</summary>
    public string? Service { get; private init; }

    /// <summary>
    /// <c>x-gtwy-provider-key</c>: the provider's key for this call. It is sent to the provider of the request's model only.
    /// </summary>
    public string? ProviderKey { get; private init; }

    /// <summary><c>x-gtwy-fallback</c>: models, commas between.</summary>
    public string? Fallback { get; private init; }

    /// <summary><c>x-gtwy-timeout-ms</c>: until the end of the answer, whoever gives it.</summary>
    public int? TimeoutMs { get; private init; }

    /// <summary><c>x-gtwy-metadata</c>: a JSON object for the log.</summary>
    public string? Metadata { get; private init; }

    /// <summary>Null for a client that asks for nothing, which is nearly every one.</summary>
    /// <exception cref="Failure">A header does not say what it should.</exception>
    public static CallWishes? Of(HttpRequest request)
    {
        var headers = request.Headers;
        var service = Read(headers, "x-gtwy-service");
        var key = Read(headers, "x-gtwy-provider-key");
        var fallback = Read(headers, "x-gtwy-fallback");
        var timeout = Read(headers, "x-gtwy-timeout-ms");
        var metadata = Read(headers, "x-gtwy-metadata");
        return service is null && key is null && fallback is null && timeout is null && metadata is null ? null : new()
        {
            Service = service,
            ProviderKey = key,
            Fallback = fallback,
            TimeoutMs = timeout is null ? null : Milliseconds(timeout),
            Metadata = metadata is null ? null : JsonOf(metadata),
        };
    }

    /// <summary>The headers that hold them, for a call that is made later; they were read before.</summary>
    public static Dictionary<string, string> HeadersOf(HttpRequest request) => Names
        .Select(name => KeyValuePair.Create(name, request.Headers[name].ToString())).Where(header => header.Value.Length > 0)
        .ToDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The settings' timeouts, none longer than the client wants to wait.</summary>
    public TimeoutOptions? Shorten(TimeoutOptions timeouts) => TimeoutMs is not { } most ? null : new()
    {
        ConnectMs = Math.Min(timeouts.ConnectMs, most),
        FirstByteMs = Math.Min(timeouts.FirstByteMs, most),
        NonStreamMs = Math.Min(timeouts.NonStreamMs, most),
        IdleMs = Math.Min(timeouts.IdleMs, most),
        TotalMs = Math.Min(timeouts.TotalMs, most),
    };

    private static string? Read(IHeaderDictionary headers, string name)
    {
        string? value = headers[name];
        if (string.IsNullOrWhiteSpace(value))
        {
            return null;
        }
        return value.Length <= MaxLength && !value.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? value.Trim()
            : throw Failure.Invalid($"The header {name} is too long or holds characters outside ASCII", name);
    }

    private static int Milliseconds(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds is > 0 and <= MaxTimeoutMs
            ? milliseconds
            : throw Failure.Invalid($"The header x-gtwy-timeout-ms must be from 1 to {MaxTimeoutMs}", "x-gtwy-timeout-ms");

    private static string JsonOf(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? text : throw Wrong();
        }
        catch (JsonException)
        {
            throw Wrong();
        }

        static Failure Wrong() => Failure.Invalid("The header x-gtwy-metadata must be a JSON object", "x-gtwy-metadata");
    }
}
