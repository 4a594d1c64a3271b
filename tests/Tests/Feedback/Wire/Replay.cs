using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Stoa.Tests.Feedback.Wire;

/// <summary>Sends records with our ids in place of the recorded ones, and tells where an answer differs from the recorded one.</summary>
internal sealed partial class Replay(Uri address, IReadOnlyList<JsonNode> records) : IDisposable
{
    private readonly HttpClient client =
        new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = address };

    /// <summary>Recorded id, cursor or key: ours.</summary>
    private readonly Dictionary<string, string> ours = new(StringComparer.Ordinal);

    /// <summary>Recorded id of a user: his name, wherever a record tells it.</summary>
    private readonly Dictionary<string, string> names = Users(records);

    public IReadOnlyList<JsonNode> Records => records;

    public void Dispose() => client.Dispose();

    public void Learn(string recorded, string own) => ours.TryAdd(recorded, own);

    public string Ours(string recorded) => ours.TryGetValue(recorded, out var whole) ? whole
        : Id.Replace(recorded, id => ours.GetValueOrDefault(id.Value, id.Value));

    public async Task<IEnumerable<string>> SendAsync(JsonNode record)
    {
        var (request, recorded) = (record["request"]!, record["response"]!);
        await MeetUsersAsync(request);
        using var message = Request(request, recorded);
        using var answer = await client.SendAsync(message, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        if ((int)answer.StatusCode != (int)recorded["status"]!)
        {
            return [$"{recorded["status"]} was recorded, not {(int)answer.StatusCode} {text}"];
        }
        var body = text.Length == 0 ? null : JsonNode.Parse(text);
        List<string> faults = [];
        Compare("", recorded["body"], body, isInList: false, faults);
        return faults;
    }

    private HttpRequestMessage Request(JsonNode request, JsonNode recorded)
    {
        var query = request["query"]?.AsObject().Select(part => $"{part.Key}={Uri.EscapeDataString(Ours($"{part.Value}"))}") ?? [];
        var path = $"{Ours((string)request["path"]!)}{(query.Any() ? $"?{string.Join('&', query)}" : "")}";
        var message = new HttpRequestMessage(new((string)request["method"]!), new Uri(path, UriKind.Relative));
        foreach (var (name, value) in request["headers"]?.AsObject() ?? new JsonObject())
        {
            message.Headers.TryAddWithoutValidation(name, Ours((string)value!));
        }
        // Some records leave the key out, though it was sent.
        if (request["headers"] is null && (int)recorded["status"]! != 403)
        {
            message.Headers.Add("X-API-Key", "1234");
        }
        foreach (var (name, value) in request["cookies"]?.AsObject() ?? new JsonObject())
        {
            message.Headers.Add("Cookie", $"{name}={value}");
        }
        if ((string?)request["raw_body"] is { } raw)
        {
            message.Content = new StringContent(raw, Encoding.UTF8, "application/json");
        }
        else if (request["body"] is { } body)
        {
            message.Content = new StringContent(Translated(body)!.ToJsonString(), Encoding.UTF8, "application/json");
        }
        return message;
    }

    private JsonNode? Translated(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.Select(member => KeyValuePair.Create(member.Key, Translated(member.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Translated)]),
        JsonValue value when value.TryGetValue<string>(out var text) => Ours(text),
        _ => node?.DeepClone(),
    };

    /// <summary>Whom a record names by an id that no answer has told yet is made known.</summary>
    private async Task MeetUsersAsync(JsonNode request)
    {
        foreach (var id in Id.Matches(request.ToJsonString()).Select(match => match.Value).Where(id => !ours.ContainsKey(id)))
        {
            if (names.TryGetValue(id, out var name))
            {
                using var message = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/frontend_users/", UriKind.Relative))
                {
                    Content = new StringContent(FeedbackSite.User(name).ToJsonString(), Encoding.UTF8, "application/json"),
                };
                message.Headers.Add("X-API-Key", "1234");
                using var answer = await client.SendAsync(message, TestContext.Current.CancellationToken);
                Learn(id, (string)JsonNode.Parse(
                    await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["user_id"]!);
            }
        }
    }

    private void Compare(string place, JsonNode? recorded, JsonNode? own, bool isInList, List<string> faults)
    {
        switch (recorded, own)
        {
            // What may be null is null in one of them.
            case (null, _) when place.Length > 0:
            case (_, null) when place.Length > 0 && !Enums.ContainsKey(Member(place)):
            case (null, null):
                break;
            case (JsonObject was, JsonObject isNow):
                if (!Maps.Contains(Member(place)))
                {
                    faults.AddRange(was.Where(member => !isNow.ContainsKey(member.Key))
                        .Select(member => $"{place}.{member.Key} is missing"));
                    faults.AddRange(isNow.Where(member => !was.ContainsKey(member.Key)).Select(member => $"{place}.{member.Key} is new"));
                }
                foreach (var (name, value) in was.Where(member => isNow.ContainsKey(member.Key)))
                {
                    Compare($"{place}.{name}", value, isNow[name], isInList, faults);
                }
                break;
            case (JsonArray was, JsonArray isNow) when Member(place) == "detail":
                CompareRefusals(was, isNow, faults);
                break;
            case (JsonArray was, JsonArray isNow) when Member(place) is "valid_labels" or "mandatory_labels":
                if (Names(was) != Names(isNow))
                {
                    faults.Add($"{place} are {Names(isNow)}, and were {Names(was)}");
                }
                break;
            case (JsonArray was, JsonArray isNow):
                for (var i = 0; i < isNow.Count && was.Count > 0; i++)
                {
                    Compare($"{place}[]", was[0], isNow[i], isInList || Member(place) != "messages" || i > 0, faults);
                }
                break;
            case (JsonValue was, JsonValue isNow):
                CompareValues(place, was, isNow, isInList, faults);
                break;
            default:
                faults.Add($"{place} is {own?.ToJsonString() ?? "null"}, and was {recorded?.ToJsonString() ?? "null"}");
                break;
        }
    }

    private void CompareValues(string place, JsonValue recorded, JsonValue own, bool isInList, List<string> faults)
    {
        if (Kind(recorded) != Kind(own))
        {
            faults.Add($"{place} is {own.ToJsonString()}, and was {recorded.ToJsonString()}");
            return;
        }
        if (recorded.TryGetValue<string>(out var was) && own.TryGetValue<string>(out var isNow) && !isInList && Learnt.IsMatch(was))
        {
            Learn(was, isNow);
        }
        if (Enums.TryGetValue(Member(place), out var words) && !words.Contains($"{own}"))
        {
            faults.Add($"{place} is {own}, none of {string.Join(' ', words)}");
        }
        if (!isInList && Fixed.Contains(Member(place)) && $"{recorded}" != $"{own}")
        {
            faults.Add($"{place} is {own}, and was {recorded}");
        }
    }

    /// <summary>Of refusals the places count, not the words.</summary>
    private static void CompareRefusals(JsonArray recorded, JsonArray own, List<string> faults)
    {
        var (was, isNow) = (Places(recorded), Places(own));
        if (!was.SequenceEqual(isNow, StringComparer.Ordinal))
        {
            faults.Add($"Refused is {string.Join(' ', isNow)}, and was {string.Join(' ', was)}");
        }

        static List<string> Places(JsonArray refusals) =>
            [.. refusals.Select(one => $"{one!["loc"]!.ToJsonString()}:{one["type"]}")
                .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    private static Dictionary<string, string> Users(IReadOnlyList<JsonNode> records)
    {
        Dictionary<string, string> users = new(StringComparer.Ordinal);
        foreach (var record in records)
        {
            Visit(record["response"]!["body"]);
        }
        return users;

        void Visit(JsonNode? node)
        {
            foreach (var inner in node switch { JsonObject map => map.Select(member => member.Value), JsonArray list => list, _ => [] })
            {
                Visit(inner);
            }
            if (node is JsonObject user && user.ContainsKey("auth_method")
                && (string?)user["user_id"] is { } id && (string?)user["id"] is { } name
                && !name.StartsWith("deleted_", StringComparison.Ordinal))
            {
                users.TryAdd(id, name);
            }
        }
    }

    private static string Names(JsonArray labels) =>
        string.Join(' ', labels.Select(label => label is JsonObject described ? described["name"] : label));

    private static string Member(string place) => place[(place.LastIndexOf('.') + 1)..];

    private static string Kind(JsonValue value) => value.GetValueKind() switch
    {
        System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False => "flag",
        var kind => kind.ToString(),
    };

    /// <summary>Members whose own members have names by what is counted.</summary>
    private static readonly HashSet<string> Maps = new(StringComparer.Ordinal)
    {
        "emojis", "active_by_lang", "state_counts", "stats", "stats_by_name",
    };

    /// <summary>Members with the same value each time.</summary>
    private static readonly HashSet<string> Fixed = new(StringComparer.Ordinal)
    {
        "type", "error_code", "mode", "disposition", "sort_key", "order", "time_frame", "state", "auth_method", "preview", "name", "detail",
    };

    private static readonly Dictionary<string, HashSet<string>> Enums = new(StringComparer.Ordinal)
    {
        ["state"] =
        [
            "initial_prompt_review", "growing", "ranking", "ready_for_scoring", "ready_for_export", "scoring_failed", "aborted_low_grade",
            "halted_by_moderator", "backlog_ranking", "prompt_lottery_waiting",
        ],
        ["auth_method"] = ["discord", "google", "local", "system"],
        ["time_frame"] = ["day", "week", "month", "total"],
        ["mode"] = ["simple", "full"],
        ["disposition"] = ["quality", "spam"],
        ["widget"] = ["yes_no", "flag", "likert"],
    };

    [GeneratedRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Id { get; }

    /// <summary>Ids, cursors, keys.</summary>
    [GeneratedRegex(
        @"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\$.*)?|[0-9a-f]{64})$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Learnt { get; }
}
