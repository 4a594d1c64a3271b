using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Stoa.Tests.Support;

namespace Stoa.Tests.Learning;

/// <summary>What the original's clients were answered, sent again in its order to an empty installation.</summary>
public sealed partial class RecordedExchangesTests(ITestOutputHelper output)
{
    /// <summary>By the record's line: defects of the original, and what the record left out.</summary>
    private static readonly Dictionary<int, (int Status, string? Detail)> Better = new()
    {
        [27] = (404, "Organization not found"),
        [34] = (404, "Course not found"),
        [41] = (400, "One or both milestones do not exist for this course"),
        [44] = (404, "Course not found"),
        [45] = (200, null),
        [65] = (400, "Task not found in this milestone of the course"),
        [69] = (400, "Tasks must belong to the same milestone"),
        [84] = (400, "Either org_slug or org_id must be provided"),
        [85] = (404, "Organization not found"),
        [86] = (404, "Cohort does not belong to this organization"),
        [113] = (400, "Either question_id or task_id must be provided"),
        [115] = (400, "Task is not a quiz or assignment"),
        [116] = (404, "Task not found"),
        [124] = (400, "Question ID or question is required for quiz tasks"),
        [125] = (502, "The model could not answer"),
        [126] = (400, "Chat history is required for learning material tasks"),
    };

    /// <summary>Volatile, by the record's own word.</summary>
    private static readonly HashSet<string> Volatile = ["created_at", "default_dp_color", "joined_at"];

    private static readonly string[] Ours =
        ["/auth", "/users", "/organizations", "/cohorts", "/batches", "/courses", "/milestones", "/tasks", "/scorecards", "/chat", "/ai"];

    private const string Model = "scripted-small";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_recorded_exchange_is_answered_as_the_original_does()
    {
        var file = Repository.Shared("contracts/learning.examples.jsonl");
        Assert.SkipUnless(file is not null, "../shared/contracts/learning.examples.jsonl is not here.");
        await using var provider = await ScriptedProvider.StartAsync();
        await using var site = await LearningSite.StartAsync(
            ("Learning:Auth:Mode", "Open"), ("Gateway:Providers:scripted:Kind", "openai_compatible"),
            ("Gateway:Providers:scripted:BaseUrl", $"{provider.BaseAddress}v1"),
            ("Gateway:Providers:scripted:ApiKey", provider.Key), ("Gateway:Providers:scripted:Models:0", Model), ("Gateway:Retries", "0"));
        List<string> faults = [];
        var replayed = 0;

        foreach (var (line, text) in (await File.ReadAllLinesAsync(file, Ct)).Index())
        {
            var record = JsonNode.Parse(text)!;
            if (record["request"] is not { } request
                || !Ours.Any(prefix => ((string)request["path"]!).StartsWith(prefix, StringComparison.Ordinal)))
            {
                continue;
            }
            await BeforeAsync(site, line);
            replayed++;
            if (record["response"]!["ndjson"] is JsonArray { Count: > 0 } lines)
            {
                faults.AddRange(await StreamedAsync(site, provider, request, lines[^1]!, line));
                continue;
            }
            if ((string?)record["note"] == "model failure mid-stream")
            {
                provider.EnqueueFor(Model, ScriptedAnswer.Error(500));
            }
            var (status, body) = await SendAsync(site, request);
            faults.AddRange(Compare(line, record["response"]!, status, body)
                .Select(fault => $"{line} {request["method"]} {request["path"]}: {fault}"));
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{replayed} records were sent again."));
        Assert.Equal("", string.Join('\n', faults));
        Assert.Equal(132, replayed);
    }

    /// <summary>Of a stream the last line counts; how many there are on the way is the network's to say.</summary>
    private static async Task<IEnumerable<string>> StreamedAsync(
        LearningSite site, ScriptedProvider provider, JsonNode request, JsonNode wanted, int line)
    {
        // A doubt is put into other words first.
        provider.EnqueueFor(Model, wanted["response"] is null ? [ScriptedAnswer.Json(wanted.DeepClone())]
            : [ScriptedAnswer.Default, ScriptedAnswer.Json(wanted.DeepClone())]);
        using var answer = await site.Host.Client.PostAsync(
            $"/learning{request["path"]}",
            new StringContent(request["json"]!.ToJsonString(), System.Text.Encoding.UTF8, "application/json"), Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        return answer.IsSuccessStatusCode
            ? Differences(wanted, JsonNode.Parse(text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]), "$", line)
            .Select(fault => $"{line} {request["path"]}: {fault}")
            : [$"{line} {request["path"]}: {(int)answer.StatusCode} {text}"];
    }

    /// <summary>What was done between two records.</summary>
    private static async Task BeforeAsync(LearningSite site, int line)
    {
        switch (line)
        {
            case 57:
                await site.PostAsync(null, "/scorecards/", JsonNode.Parse("""
                    {"title":"S","org_id":1,"criteria":[{"name":"c","description":"d","min_score":0,"max_score":10,"pass_score":5}]}
                    """)!);
                break;
            case 62:
                await site.PostAsync(null, "/tasks/3/assignment", JsonNode.Parse("""
                    {"title":"A2","scheduled_publish_at":null,"assignment":{
                      "blocks":[{"type":"paragraph","props":{},"content":[{"type":"text","text":"Build it","styles":{}}],"children":[]}],
                      "context":{"blocks":[{"type":"paragraph","props":{},"content":[{"type":"text","text":"kb","styles":{}}],"children":[]}],"linkedMaterialIds":[]},
                      "evaluation_criteria":{"scorecard_id":1,"min_score":0,"max_score":100,"pass_score":60},
                      "input_type":"text","response_type":"chat","max_attempts":null,"settings":{"allowCopyPaste":true}}}
                    """)!);
                break;
            case 118:
                // The card that its answers were judged by is in none of the records.
                await site.SqlAsync("""
                    update learning.scorecards set criteria = '[{"name":"Clarity","description":"d","min_score":1,"max_score":4,"pass_score":3}]'
                    where id in (select scorecard_id from learning.question_scorecards where question_id = 2 and deleted_at is null)
                    """);
                break;
            case 108:
                await site.PostAsync(null, "/batches/", JsonNode.Parse("""{"name":"Batch A1","cohort_id":1,"user_ids":[3,4,5]}""")!);
                break;
        }
    }

    private static Task<(int Status, JsonNode? Body)> SendAsync(LearningSite site, JsonNode request)
    {
        var body = request["json"]?.DeepClone();
        if (body?["id_token"] is { } token && ((string)token!).StartsWith("tok:", StringComparison.Ordinal))
        {
            body["id_token"] = site.IdToken(((string)token!)[4..]);
        }
        var query = from parameter in request["query"]?.AsObject() ?? []
                    from value in parameter.Value is JsonArray many ? many.ToArray() : [parameter.Value]
                    select $"{parameter.Key}={Uri.EscapeDataString(value!.ToString())}";
        return site.SendAsync(null, new((string)request["method"]!), $"{request["path"]}?{string.Join('&', query)}", body);
    }

    private static IEnumerable<string> Compare(int line, JsonNode response, int status, JsonNode? body)
    {
        if (Better.TryGetValue(line, out var better))
        {
            return status == better.Status && (better.Detail is null || (string?)body?["detail"] == better.Detail)
                ? []
                : [$"{status} {body?.ToJsonString()} and not {better}"];
        }
        return status != (int)response["status"]!
            ? [$"{status} and not {response["status"]}: {body?.ToJsonString()}"]
            : Differences(response["json"], body, "$", line);
    }

    // What is ours beyond the record (the token of a sign-in, ids and places of blocks) may be there.
    private static IEnumerable<string> Differences(JsonNode? wanted, JsonNode? sent, string path, int line) => (wanted, sent) switch
    {
        (JsonObject one, JsonObject other) => one.SelectMany(member =>
            Volatile.Contains(member.Key) || IsBetter(line, member.Key) ? []
            : (member.Key is "id" or "position") && member.Value is null ? []
            : !other.ContainsKey(member.Key) ? [$"{path}.{member.Key} is missing"]
            : Differences(member.Value, other[member.Key], $"{path}.{member.Key}", line)),
        (JsonArray one, JsonArray other) => one.Count != other.Count
            ? [$"{path} has {other.Count} and not {one.Count}"]
            : one.SelectMany((item, index) => Differences(item, other[index], $"{path}[{index}]", line)),
        (JsonValue one, JsonValue other) when IsText(one) && IsText(other) =>
            Same((string)one!, (string)other!) ? [] : [$"{path} is {other} and not {one}"],
        _ => JsonNode.DeepEquals(wanted, sent) ? []
        : [$"{path} is {sent?.ToJsonString() ?? "null"} and not {wanted?.ToJsonString() ?? "null"}"],
    };

    // The original answers a change of a user with what he was before, and Google's texts are Google's.
    private static bool IsBetter(int line, string member) => (line == 7 && member is "middle_name") || (line == 3 && member == "detail")
        // A turn about a question knows its task.
        || (line is >= 111 and <= 131 && member == "task_id");

    private static bool IsText(JsonValue value) => value.GetValueKind() == System.Text.Json.JsonValueKind.String;

    private static bool Same(string one, string other) => (MadeUp().IsMatch(one) && MadeUp().IsMatch(other))
        || one.Replace("+00:00", "Z", StringComparison.Ordinal) == other.Replace("+00:00", "Z", StringComparison.Ordinal);

    [GeneratedRegex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex MadeUp();
}
