using System.Globalization;
using System.Text.Json.Nodes;

namespace Stoa.Gateway.Runs.Prompts;

/// <summary>The variables of a run: the agent's defaults under what the caller sent, and those that are always there.</summary>
internal sealed class Variables
{
    public const string UserMessage = "_user_message";
    public const string CurrentTime = "current_time_date_and_current_identifier";

    private const int MaxDepth = 16;

    private readonly JsonObject all;
    private readonly string user;
    private readonly string time;

    /// <param name="states"><c>{name: {status, default_value, value}}</c> of the agent.</param>
    /// <param name="zone">IANA, of the organization; the variable <c>timezone</c> goes first.</param>
    public Variables(JsonObject? given, JsonObject? states, string user, DateTimeOffset now, string? zone = null)
    {
        all = (JsonObject?)given?.DeepClone() ?? [];
        List<string>? required = null;
        foreach (var (name, node) in states ?? [])
        {
            var state = node as JsonObject;
            if (all[name] is not null)
            {
                continue;
            }
            if ((state?["value"] ?? state?["default_value"]) is { } value && value.AsText() is not "")
            {
                all[name] = value.DeepClone();
            }
            else if (state.Text("status") == "required")
            {
                (required ??= []).Add(name);
            }
        }
        MissingRequired = required is null ? [] : required;
        this.user = user;
        time = Time(now, all.Text("timezone") ?? zone);
    }

    /// <summary>Those that the agent requires and nobody gave.</summary>
    public IReadOnlyList<string> MissingRequired { get; }

    public JsonObject All => all;

    public void Set(string name, JsonNode? value) => all[name] = value;

    /// <summary>A text as it is, anything else as JSON; null for an unknown name.</summary>
    public string? Find(string name) => At(name) is { } node ? node.AsWords() : name switch
    {
        UserMessage => user,
        CurrentTime => time,
        _ => null,
    };

    /// <summary>The value at a dotted path; a name that has dots itself goes first.</summary>
    public JsonNode? At(string path)
    {
        var direct = all[path];
        if (direct is not null || !path.Contains('.', StringComparison.Ordinal))
        {
            return direct;
        }
        JsonNode? node = all;
        var depth = 0;
        foreach (var step in path.Split('.'))
        {
            node = depth++ == MaxDepth ? null : node switch
            {
                JsonObject holder => holder[step],
                JsonArray list when int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                && index < list.Count => list[index],
                _ => null,
            };
        }
        return node;
    }

    /// <summary><c>2026-01-31 14:05:09 Saturday (Asia/Calcutta)</c>; an unknown zone is UTC.</summary>
    private static string Time(DateTimeOffset now, string? zone)
    {
        var place = zone is not null && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var known) ? known : TimeZoneInfo.Utc;
        return string.Create(CultureInfo.InvariantCulture, $"{TimeZoneInfo.ConvertTime(now, place):yyyy-MM-dd HH:mm:ss dddd} ({place.Id})");
    }
}
