using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Stoa.Feedback.Datasets;

/// <summary>One line of Open-Assistant's tree files.</summary>
internal sealed record OasstTree
{
    public required string MessageTreeId { get; init; }
    public required string TreeState { get; init; }
    public string? Origin { get; init; }
    public required OasstMessage Prompt { get; init; }

    /// <summary>Every message, parents before their replies.</summary>
    public IEnumerable<OasstMessage> Messages() => Messages(Prompt);

    private static IEnumerable<OasstMessage> Messages(OasstMessage message)
    {
        // Not by recursion: a file may nest deeper than the stack.
        var waiting = new Stack<OasstMessage>([message]);
        while (waiting.TryPop(out var next))
        {
            yield return next;
            foreach (var reply in (next.Replies ?? []).AsEnumerable().Reverse())
            {
                waiting.Push(reply);
            }
        }
    }
}

/// <summary>
/// A message in the tree files, where it holds its replies, and a line of the flat files. Members keep the original's order.
/// </summary>
internal sealed record OasstMessage
{
    public const string Prompter = "prompter";
    public const string Assistant = "assistant";

    public required string MessageId { get; init; }
    public string? ParentId { get; init; }
    public string? UserId { get; init; }
    [JsonConverter(typeof(OasstInstant))]
    public DateTimeOffset? CreatedDate { get; init; }
    public required string Text { get; init; }
    public required string Role { get; init; }
    public string? Lang { get; init; }
    public int? ReviewCount { get; init; }
    public bool? ReviewResult { get; init; }
    public bool? Deleted { get; init; }
    public int? Rank { get; init; }
    public bool? Synthetic { get; init; }
    public string? ModelName { get; init; }
    public OasstToxicity? Detoxify { get; init; }

    /// <summary>Of the flat files alone.</summary>
    public string? MessageTreeId { get; init; }
    public string? TreeState { get; init; }

    [JsonConverter(typeof(OasstEmojis))]
    public IReadOnlyDictionary<string, int>? Emojis { get; init; }
    public IReadOnlyList<OasstMessage>? Replies { get; init; }
    [JsonConverter(typeof(OasstLabels))]
    public IReadOnlyDictionary<string, OasstLabel>? Labels { get; init; }
    public OasstEvents? Events { get; init; }

    [JsonIgnore]
    public bool IsAssistant => Role == Assistant;
}

/// <param name="Value">The mean of all that were given, 0 to 1.</param>
internal sealed record OasstLabel(double Value, int Count);

internal sealed record OasstToxicity(
    double? Toxicity, double? SevereToxicity, double? Obscene,
    double? IdentityAttack, double? Insult, double? Threat, double? SexualExplicit);

internal sealed record OasstEvents(
    IReadOnlyList<OasstEvent>? Emoji = null, IReadOnlyList<OasstEvent>? Rating = null, IReadOnlyList<OasstEvent>? Ranking = null);

internal sealed record OasstEvent
{
    public required string Type { get; init; }
    public string? UserId { get; init; }
    public string? Emoji { get; init; }
    public string? Rating { get; init; }
    public IReadOnlyList<int>? Ranking { get; init; }
    public IReadOnlyList<string>? RankedMessageIds { get; init; }
    public string? RankingParentId { get; init; }
    public string? MessageTreeId { get; init; }
    public bool? NotRankable { get; init; }
}

/// <summary>ISO 8601 with microseconds and <c>+00:00</c>; read with or without an offset.</summary>
internal sealed class OasstInstant : JsonConverter<DateTimeOffset?>
{
    public override DateTimeOffset? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        DateTimeOffset.TryParse(reader.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant.ToUniversalTime()
            : throw new JsonException("The date is none");

    public override void Write(Utf8JsonWriter writer, DateTimeOffset? value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Text(value!.Value));

    public static string Text(DateTimeOffset instant) =>
        instant.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture);
}

/// <summary>A map of names; the published files also have the columns <c>{"name": […], "count": […]}</c>.</summary>
internal sealed class OasstEmojis : JsonConverter<IReadOnlyDictionary<string, int>>
{
    public override IReadOnlyDictionary<string, int> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var map = JsonElement.ParseValue(ref reader);
        return OasstColumns.Names(map) is { } names
            ? names.Zip(OasstColumns.Of(map, "count"), (name, count) => (name, count.GetInt32())).ToDictionary()
            : map.EnumerateObject().ToDictionary(one => one.Name, one => one.Value.GetInt32(), StringComparer.Ordinal);
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlyDictionary<string, int> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (name, count) in value.OrderBy(one => one.Key, StringComparer.Ordinal))
        {
            writer.WriteNumber(name, count);
        }
        writer.WriteEndObject();
    }
}

/// <inheritdoc cref="OasstEmojis"/>
internal sealed class OasstLabels : JsonConverter<IReadOnlyDictionary<string, OasstLabel>>
{
    public override IReadOnlyDictionary<string, OasstLabel> Read(
        ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var map = JsonElement.ParseValue(ref reader);
        return OasstColumns.Names(map) is { } names
            ? names.Zip(OasstColumns.Of(map, "value"), OasstColumns.Of(map, "count"))
                .ToDictionary(one => one.First, one => new OasstLabel(one.Second.GetDouble(), one.Third.GetInt32()), StringComparer.Ordinal)
            : map.EnumerateObject()
            .ToDictionary(one => one.Name, one => one.Value.Deserialize(DatasetJson.Default.OasstLabel)!, StringComparer.Ordinal);
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlyDictionary<string, OasstLabel> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (name, label) in value.OrderBy(one => one.Key, StringComparer.Ordinal))
        {
            writer.WritePropertyName(name);
            JsonSerializer.Serialize(writer, label, DatasetJson.Default.OasstLabel);
        }
        writer.WriteEndObject();
    }
}

/// <summary>The form of the column stores: a list for each member instead of a map.</summary>
internal static class OasstColumns
{
    /// <summary>Null when the value is a map of names.</summary>
    public static IEnumerable<string>? Names(JsonElement map) =>
        map.ValueKind == JsonValueKind.Object && map.TryGetProperty("name", out var names) && names.ValueKind == JsonValueKind.Array
            ? names.EnumerateArray().Select(name => name.GetString() ?? throw new JsonException("A name is missing"))
            : null;

    public static IEnumerable<JsonElement> Of(JsonElement map, string column) =>
        map.TryGetProperty(column, out var values) && values.ValueKind == JsonValueKind.Array
            ? values.EnumerateArray()
            : throw new JsonException($"The column {column} is missing");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = 1_000,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(OasstTree))]
[JsonSerializable(typeof(OasstMessage))]
[JsonSerializable(typeof(OasstLabel))]
[JsonSerializable(typeof(Dictionary<string, OasstLabel>))]
[JsonSerializable(typeof(OasstEvents))]
[JsonSerializable(typeof(TrainingRow))]
[JsonSerializable(typeof(List<ChatTurn>))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(DatasetCheckpoint))]
[JsonSerializable(typeof(DatasetManifest))]
internal sealed partial class DatasetJson : JsonSerializerContext
{
    /// <summary>Text as it is, not escaped to ASCII: the files are data, never part of a page.</summary>
    public static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 1_000 };
}
