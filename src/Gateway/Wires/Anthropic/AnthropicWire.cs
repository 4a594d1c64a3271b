using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Wires.Anthropic;

/// <summary>Anthropic's messages API in the version that the client asked for; the provider's version comes with the target.</summary>
internal sealed class AnthropicWire : IClientWire, IProviderWire
{
    public const string OlderVersion = "2023-06-01";
    public const string NewerVersion = "2026-10-21";

    private static readonly AnthropicWire Older = new(isNewer: false);
    private static readonly AnthropicWire Newer = new(isNewer: true);

    private readonly bool isNewer;

    private AnthropicWire(bool isNewer) => this.isNewer = isNewer;

    /// <param name="version">The client's <c>anthropic-version</c>; missing or unknown ones count as the older.</param>
    public static AnthropicWire Of(string? version) => IsNewer(version) ? Newer : Older;

    /// <summary>Versions are dates, so text order is their order.</summary>
    public static bool IsNewer(string? version) => version?.Length == NewerVersion.Length && string.CompareOrdinal(version, NewerVersion) >= 0;

    public bool TakesAddresses => true;

    public string NewId() => AnswerIds.New("msg_");

    public ChatRequest ReadRequest(ReadOnlyMemory<byte> body, ReadOptions options = default) =>
        AnthropicRequestReader.Read(body, isNewer, options);

    public void WriteRequest(ChatRequest request, WireTarget target, IBufferWriter<byte> output) =>
        AnthropicRequestWriter.Write(request, target, output);

    public ChatAnswer ReadAnswer(ReadOnlyMemory<byte> body, ChatRequest request, WireTarget target) =>
        AnthropicAnswers.Read(body, request, target);

    public void WriteAnswer(ChatAnswer answer, ChatRequest request, AnswerHead head, IBufferWriter<byte> output) =>
        AnthropicAnswers.Write(answer, head, isNewer, output);

    public IChatStreamReader OpenReader(ChatRequest request, WireTarget target) => new AnthropicStreamReader(request, target);

    public IChatStreamWriter OpenWriter(ChatRequest request, AnswerHead head) => new AnthropicStreamWriter(request, head, isNewer);

    /// <summary>The body of <c>count_tokens</c>.</summary>
    public static void WriteCount(long inputTokens, IBufferWriter<byte> output)
    {
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteNumber("input_tokens", inputTokens);
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    /// <summary>The body of <c>GET /v1/models</c> for a client that sends <c>anthropic-version</c>.</summary>
    public static void WriteModels(IReadOnlyList<ModelEntry> models, bool hasMore, IBufferWriter<byte> output)
    {
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        json.WriteStartArray("data");
        foreach (var model in models)
        {
            WriteModel(json, model);
        }
        json.WriteEndArray();
        json.WriteBoolean("has_more", hasMore);
        json.WriteString("first_id", models.Count > 0 ? models[0].Id : null);
        json.WriteString("last_id", models.Count > 0 ? models[^1].Id : null);
        json.WriteEndObject();
        JsonOutput.Close(json);
    }

    public static void WriteModel(ModelEntry model, IBufferWriter<byte> output)
    {
        var json = JsonOutput.Open(output);
        WriteModel(json, model);
        JsonOutput.Close(json);
    }

    private static void WriteModel(Utf8JsonWriter json, ModelEntry model)
    {
        json.WriteStartObject();
        json.WriteString("type", "model");
        json.WriteString("id", model.Id);
        json.WriteString("display_name", model.Id);
        json.WriteString("created_at", DateTimeOffset.FromUnixTimeSeconds(model.Created).UtcDateTime);
        json.WriteEndObject();
    }
}
