using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Stoa.Tests.Support;

/// <summary>A request as the provider received it.</summary>
public sealed class ScriptedRequest
{
    private readonly TaskCompletionSource<DateTimeOffset> _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public required string Method { get; init; }

    public required string Path { get; init; }

    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    public required ReadOnlyMemory<byte> Body { get; init; }

    public JsonObject? Json { get; private init; }

    /// <summary>Null where the body is none.</summary>
    public IFormCollection? Form { get; private init; }

    public string Query { get; private init; } = "";

    public string? Model => Path.StartsWith(ScriptedGemini.Root, StringComparison.Ordinal)
        ? Path[ScriptedGemini.Root.Length..].Split(':')[0]
        : Json?["model"] is JsonValue value && value.TryGetValue<string>(out var name) ? name : (string?)Form?["model"];

    public bool Streams =>
        Query == "?alt=sse" || (Json?["stream"] is JsonValue value && value.TryGetValue<bool>(out var streams) && streams);

    public DateTimeOffset ArrivedAt { get; } = TimeProvider.System.GetUtcNow();

    /// <summary>The usage that went out with the answer; null while none did.</summary>
    public ScriptedUsage? Reported { get; internal set; }

    /// <summary>Completes with the time at which the caller was seen to be gone; never, when it stayed to the end.</summary>
    public Task<DateTimeOffset> Aborted => _aborted.Task;

    internal void NoteAbort() => _aborted.TrySetResult(TimeProvider.System.GetUtcNow());

    internal static async Task<ScriptedRequest> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, ct);
        body.Position = 0;
        request.Body = body;
        return new()
        {
            Method = request.Method,
            Path = request.Path.Value ?? "/",
            Query = request.QueryString.Value ?? "",
            Headers = request.Headers.ToDictionary(
                header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            Body = body.ToArray(),
            Json = Parse(body.ToArray()),
            Form = request.HasFormContentType ? await request.ReadFormAsync(ct) : null,
        };
    }

    private static JsonObject? Parse(byte[] body)
    {
        try
        {
            return body.Length == 0 ? null : JsonNode.Parse(body) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
