using System.Buffers;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Providers;

namespace Stoa.Gateway.Batches.Native;

/// <summary>A provider as its batch API is called: the few kinds of requests that such APIs are made of.</summary>
/// <param name="apiKey">The key to send instead of the one of the settings.</param>
internal sealed class BatchClient(ProviderClient client, string? apiKey = null)
{
    public Task<JsonElement> GetAsync(string path, CancellationToken ct) => SendAsync(Get(path), ct);

    public Task<JsonElement> PostAsync(string path, JsonObject? body, CancellationToken ct) =>
        SendAsync(path, JsonSerializer.SerializeToUtf8Bytes(body ?? [], GatewayJson.Default.JsonObject), ct);

    public Task<JsonElement> SendAsync(
        string path, ReadOnlyMemory<byte> body, CancellationToken ct, string contentType = "application/json") =>
        SendAsync(new(client.UriOf(path), body, isStream: false) { ContentType = contentType, ApiKey = apiKey }, ct);

    /// <summary>Uploads a file of lines for batches, as OpenAI's API and those like it take it; returns its id.</summary>
    public async Task<string> UploadAsync(ReadOnlyMemory<byte> lines, CancellationToken ct)
    {
        using var form = new MultipartFormDataContent();
        form.Add(new StringContent("batch"), "\"purpose\"");
        var file = new ReadOnlyMemoryContent(lines);
        file.Headers.ContentType = new MediaTypeHeaderValue("application/jsonl");
        form.Add(file, "\"file\"", "\"batch.jsonl\"");
        var body = await form.ReadAsByteArrayAsync(ct);
        return Need(await SendAsync("/files", body, ct, form.Headers.ContentType!.ToString()), "id");
    }

    /// <summary>The lines of a file, while it is read.</summary>
    public async IAsyncEnumerable<JsonElement> LinesAsync(string path, [EnumeratorCancellation] CancellationToken ct)
    {
        using var exchange = await client.SendAsync(Get(path), ct);
        await foreach (var line in JsonLines.ReadAsync(exchange.Body, ct))
        {
            if (!JsonLines.IsBlank(line))
            {
                using var document = JsonBody.OpenAnswer(line);
                yield return document.RootElement.Clone();
            }
        }
    }

    public static byte[] Join(IEnumerable<NativeLine> lines, Action<Utf8JsonWriter, NativeLine> write)
    {
        var output = new ArrayBufferWriter<byte>(64 << 10);
        foreach (var line in lines)
        {
            var json = JsonOutput.Open(output);
            json.WriteStartObject();
            write(json, line);
            json.WriteEndObject();
            JsonOutput.Close(json);
            output.Write("\n"u8);
        }
        return output.WrittenSpan.ToArray();
    }

    public static byte[] Raw(JsonElement element) => JsonMarshal.GetRawUtf8Value(element).ToArray();

    public static string Need(JsonElement from, string name) =>
        from.TextOf(name) is { Length: > 0 } text ? text : throw ProviderRefusals.Unreadable($"it has no {name}");

    private ProviderRequest Get(string path) =>
        new(client.UriOf(path), default, isStream: false) { Method = HttpMethod.Get, ApiKey = apiKey };

    private async Task<JsonElement> SendAsync(ProviderRequest request, CancellationToken ct)
    {
        using var exchange = await client.SendAsync(request, ct);
        using var answer = await exchange.ReadAllAsync();
        using var document = JsonBody.OpenAnswer(answer.Memory);
        return document.RootElement.Clone();
    }
}
