using System.IO.Compression;
using System.Text.Json.Nodes;
using Stoa.Platform.Identity;
using Stoa.Tests.Assistants;
using Stoa.Tests.Feedback;
using Stoa.Tests.Learning;
using Stoa.Tests.Learning.Tutor;
using Stoa.Tests.Support;
using static System.Net.Http.HttpMethod;

namespace Stoa.Tests.Loop;

/// <summary>What Stoa is for, in one story over all modules: serve, collect, rank, export, and count each call of a model once.</summary>
public sealed class LoopTests : IDisposable
{
    private const string Question = "Why do leaves turn red?";

    private readonly string folder = Directory.CreateTempSubdirectory("stoa-loop").FullName;

    /// <summary>On which what is to be done is due: the next one on which anybody is mailed.</summary>
    private readonly DateOnly day = Weekday();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task An_organization_serves_teaches_assists_and_collects_and_each_call_of_a_model_is_counted_once()
    {
        await using var site = await LoopSite.StartAsync();
        site.Provider.Answering = Answer;
        var school = await School.OpenAsync(site.Learning, "academy");
        var key = await site.AdminAsync(school.Owner.Email);

        // Until the organization pays with its own key, nobody's is known to the provider.
        await AskTutorAsync(site, school, 502);
        var provided = await site.ConnectProviderAsync(key);
        Assert.Equal("403 Forbidden", await site.Learning.StatusesAsync(school.Admin, Put, $"/organizations/{school.Org}/payer", Payer()));
        await site.Learning.PutAsync(school.Owner, $"/organizations/{school.Org}/payer", Payer());
        await AskTutorAsync(site, school, 200);

        var served = await ServeAsync(site, key, provided);
        await RankAsync(site, key, served);
        await FollowUpAsync(site, school);

        await CheckUsageAsync(site, key, provided);
    }

    /// <summary>What the models of this story say, by who asks.</summary>
    private ScriptedAnswer? Answer(ScriptedRequest request) => (request.Model, ProcessOf(request)) switch
    {
        (LoopSite.AgentModel, _) => ScriptedAnswer.Text("They die."),
        (LoopSite.NewAgentModel, _) => ScriptedAnswer.Text("The green fades, and the red is left."),
        (LoopSite.TutorModel, _) => TutorSite.Objective(isCorrect: true),
        (_, "extract_todos") => ThinkingSite.Todos(("Send the herbarium to Carol", "yes", $"{day:yyyy-MM-dd}")),
        (_, "title_and_summary") =>
            ScriptedAnswer.Json(new JsonObject { ["title"] = "Minutes of the walk", ["summary"] = "You met Carol." }),
        (_, "todo_daily_email") =>
            ScriptedAnswer.Json(new JsonObject { ["subject"] = "Your day", ["body"] = "<p>Send the <b>herbarium</b> to Carol</p>" }),
        (_, "answer_messages") =>
            ScriptedAnswer.Text("Here they are. <title>Minutes of the walk</title><draft>Ada sends Carol the herbarium.</draft>"),
        _ => null,
    };

    /// <summary>What a process of the assistants asks for is told by the form of its answer.</summary>
    private static string ProcessOf(ScriptedRequest request) => (string?)request.Json?["response_format"]?["json_schema"]?["name"] switch
    {
        "todos" => "extract_todos",
        null => "answer_messages",
        var name => name,
    };

    private static JsonObject Payer() => new() { ["organization_id"] = $"{Organization.DefaultId}" };

    private static DateOnly Weekday()
    {
        var day = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).AddDays(1);
        return day.DayOfWeek switch { DayOfWeek.Saturday => day.AddDays(2), DayOfWeek.Sunday => day.AddDays(1), _ => day };
    }

    private static async Task AskTutorAsync(LoopSite site, School school, int status)
    {
        using var request = new HttpRequestMessage(Post, "/learning/ai/chat")
        {
            Headers = { Authorization = new("Bearer", school.Learner.Token) },
            Content = System.Net.Http.Json.JsonContent.Create(new
            {
                task_type = "quiz", user_id = $"{school.Learner.Id}", user_email = school.Learner.Email,
                task_id = school.Quiz, user_response = "Because of the cold",
                question_id = $"{school.Questions[0]}", response_type = "text",
            }),
        };
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True((int)answer.StatusCode == status, text);
        if (status == 200)
        {
            Assert.True((bool?)JsonNode.Parse(text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1])!["is_correct"]);
        }
    }

    /// <summary>An agent of two versions that both answer the same question after the same greeting; the ids of the two answers.</summary>
    private static async Task<string[]> ServeAsync(LoopSite site, string key, string provided)
    {
        var agent = (await site.GatewayAsync(key, Post, "/api/agent", new JsonObject { ["name"] = "Botanist", ["flag"] = true }))["agent"]!;
        var first = (string)agent["versions"]![0]!;
        await site.GatewayAsync(key, Put, $"/api/versions/{first}", Configuration(LoopSite.AgentModel, provided));
        await site.GatewayAsync(key, Post, $"/api/versions/publish/{first}");
        var second =
            (string)(await site.GatewayAsync(key, Post, "/api/versions", new JsonObject { ["version_id"] = first }))["version_id"]!;
        await site.GatewayAsync(key, Put, $"/api/versions/{second}", Configuration(LoopSite.NewAgentModel, provided));
        List<string> answers = [];
        foreach (var version in (string[])[first, second])
        {
            foreach (var said in (string[])["Hello", Question])
            {
                var run = await site.GatewayAsync(key, Post, "/api/v2/model/chat/completion", new JsonObject
                {
                    ["bridge_id"] = (string)agent["_id"]!, ["version_id"] = version, ["thread_id"] = version, ["user"] = said,
                });
                if (said == Question)
                {
                    answers.Add((string)run["response"]!["data"]!["message_id"]!);
                }
            }
        }
        return [.. answers];
    }

    private static JsonObject Configuration(string model, string provided) => new()
    {
        ["service"] = "openai", ["apikey_object_id"] = new JsonObject { ["openai"] = provided }, ["gpt_memory"] = false,
        ["settings"] = new JsonObject { ["stateless_conversation"] = false },
        ["configuration"] = new JsonObject { ["model"] = model, ["prompt"] = "You know plants.", ["response_type"] = "text" },
    };

    /// <summary>
    /// The two answers become a tree by their ids, three annotators prefer the second, and the pair leaves as training data.
    /// </summary>
    private async Task RankAsync(LoopSite site, string key, string[] served)
    {
        var sent = new JsonObject
        {
            ["trees"] = new JsonArray(new JsonObject { ["lang"] = "en",
                ["candidates"] = new JsonArray([.. served.Select(id => new JsonObject { ["message_id"] = id })]) }),
        };
        var made = await site.OwnAsync(key, Post, "/feedback/trees", sent);
        Guid[] replies = [.. made["trees"]![0]!["candidate_ids"]!.AsArray().Select(id => (Guid)id!)];
        foreach (var annotator in (string[])["ann", "ben", "cleo"])
        {
            var user = FeedbackSite.User(annotator);
            var (status, task) = await site.Feedback.SendAsync(
                "POST", "/tasks/", new JsonObject { ["type"] = "rank_assistant_replies", ["user"] = user.DeepClone(), ["lang"] = "en" });
            Assert.True(status == 200, $"{status} {task?.ToJsonString()}");
            Assert.Equal(["Hello", "They die.", Question],
                task!["conversation"]!["messages"]!.AsArray().Select(message => (string)message!["text"]!));
            var shown = task["reply_messages"]!.AsArray().Select(reply => (Guid)reply!["id"]!).ToList();
            Assert.Equal(204, (await site.Feedback.SendAsync("POST", $"/tasks/{task["id"]}/ack", new { message_id = annotator })).Status);
            var ranked = await site.Feedback.SendAsync("POST", "/tasks/interaction", new JsonObject
            {
                ["type"] = "message_ranking", ["user"] = user.DeepClone(), ["message_id"] = annotator,
                ["ranking"] = new JsonArray(shown.IndexOf(replies[1]), shown.IndexOf(replies[0])),
            });
            Assert.True(ranked.Status == 200, ranked.Body?.ToJsonString());
        }
        await site.Host.RunJobsAsync();

        var path = Path.Combine(folder, "pairs.jsonl");
        await site.Feedback.CommandAsync((commands, tell) =>
            commands.ExportAsync(path, new() { Format = "preference", IncludeSynthetic = true }, Stream.Null, tell, Ct));
        var pair = JsonNode.Parse(Assert.Single(await File.ReadAllLinesAsync(path, Ct)))!;
        Assert.Contains("The green fades", pair["chosen"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("They die.", pair["rejected"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains(Question, pair["prompt"]!.ToJsonString(), StringComparison.Ordinal);

        var sources = (await site.OwnAsync(key, Get, "/feedback/preferences"))["sources"]!.AsArray();
        Assert.Equal(
            [$"botanist {LoopSite.AgentModel} 0:3", $"botanist {LoopSite.NewAgentModel} 3:0"],
            sources.Select(source => $"{source!["name"]} {source["model"]} {source["wins"]}:{source["losses"]}")
            .Order(StringComparer.Ordinal));
        Assert.Empty(await site.Feedback.BrokenAsync());
    }

    /// <summary>
    /// The learner, who is the same person here, has minutes written; what he means to do is mailed to him on its morning.
    /// </summary>
    private async Task FollowUpAsync(LoopSite site, School school)
    {
        var assistants = site.Assistants;
        var email = school.Learner.Email;
        var token = (string)(await assistants.OkAsync(null, Post, "/user", new()
        {
            ["email"] = email, ["login_method"] = "google", ["google_token"] = site.Learning.IdToken(email),
        }))["token"]!;
        await assistants.OkAsync(token, Put, "/terms_and_conditions");
        await assistants.OkAsync(token, Post, "/timezone", new() { ["timezone_offset"] = 0, ["timezone_name"] = "UTC" });
        var task = (await assistants.OkAsync(token, Get, "/user_task"))["user_tasks"]![0]!;
        var execution =
            await assistants.OkAsync(token, Put, "/user_task_execution", new() { ["user_task_pk"] = (int)task["user_task_pk"]! });
        await assistants.OkAsync(token, Post, "/user_task_execution_run", new()
        {
            ["user_task_execution_pk"] = (int)execution["user_task_execution_pk"]!,
            ["inputs"] = new JsonArray(new JsonObject
            {
                ["input_name"] = execution["json_input"]![0]!["input_name"]!.DeepClone(),
                ["input_value"] = "I told Carol that I send her the herbarium",
            }),
        });
        await site.Host.RunJobsAsync();
        await assistants.OkAsync(AssistantsSite.Scheduler, Post, "/extract_todos");
        await site.Host.RunJobsAsync();
        var todo = Assert.Single((await assistants.OkAsync(
            token, Get, $"/todos?user_task_execution_fk={execution["user_task_execution_pk"]}"))["todos"]!.AsArray())!;
        Assert.Equal("Send the herbarium to Carol", (string?)todo["description"]);

        site.Clock.Set(new(day, new TimeOnly(8, 5), TimeSpan.Zero));
        await assistants.OkAsync(AssistantsSite.Scheduler, Post, "/todo_daily_emails", new() { ["n_emails"] = 50, ["offset"] = 0 });
        await site.Host.RunJobsAsync();
        var mails = site.Smtp.To(email);
        Assert.Equal(["Welcome", "Your day"], mails.Select(received => received.Header("Subject")));
        var mail = mails[^1];
        Assert.Contains("<b>herbarium</b>", mail.Part("text/html"), StringComparison.Ordinal);

        using var browser = await site.BrowserAsync(email);
        using var export = await browser.CallAsync(Get, "/api/stoa/me/export");
        using var archive = new ZipArchive(await export.Content.ReadAsStreamAsync(Ct));
        Assert.Subset(
            archive.Entries.Select(entry => entry.FullName.Split('/')[0]).ToHashSet(StringComparer.Ordinal),
            new HashSet<string>(StringComparer.Ordinal) { "learning", "assistants" });
    }

    /// <summary>
    /// What Stoa says that was used is what the provider says, by what it was for, to the last token and the last digit of its price.
    /// </summary>
    private static async Task CheckUsageAsync(LoopSite site, string key, string provided)
    {
        var answered = site.Provider.Requests.Where(request => request.Reported is not null).ToList();
        var bySurface = await site.UsageAsync(key, "surface", answered.Count);
        Assert.Equal(
            answered.GroupBy(SurfaceOf)
            .Select(calls => Line(calls.Key, calls.Count(), calls.Aggregate(ScriptedUsage.None, (sum, call) => sum + call.Reported!)))
                .Order(StringComparer.Ordinal),
            bySurface.Select(row => Line(
                (string)row["surface"]!, (int)row["calls"]!,
                new((long)row["input_tokens"]!, (long)row["output_tokens"]!, (long)row["cache_read_tokens"]!)))
                .Order(StringComparer.Ordinal));
        Assert.Equal(
            [
                "assistants.answer_messages", "assistants.extract_todos", "assistants.produced_texts",
                "assistants.title_and_summary", "assistants.todo_daily_email",
                "gtwy.chat", "learning.tutor",
            ],
            bySurface.Select(row => (string)row["surface"]!));

        var total = Assert.Single(await site.UsageAsync(key, "provider_key", answered.Count));
        Assert.Equal((provided, answered.Count, 0), ((string)total["provider_key_id"]!, (int)total["calls"]!, (int)total["failed"]!));
        var cost = 0m;
        foreach (var calls in answered.GroupBy(call => call.Model!))
        {
            // A dated model costs what its family does.
            var family = calls.Key.Replace("-2025-04-14", "", StringComparison.Ordinal);
            var price = Assert.Single((await site.OwnAsync(key, Get, $"/prices?provider=openai&model={family}"))["items"]!.AsArray())!;
            var used = calls.Aggregate(ScriptedUsage.None, (sum, call) => sum + call.Reported!);
            cost += (((used.Input - used.CacheRead) * (decimal)price["input"]!) + (used.CacheRead * (decimal)price["cache_read"]!)
                + (used.Output * (decimal)price["output"]!)) / 1_000_000;
        }
        Assert.True(cost > 0);
        Assert.Equal(cost, (decimal)total["cost"]!);
    }

    private static string SurfaceOf(ScriptedRequest call) => call.Model switch
    {
        // What somebody has written is found again by its vector too.
        _ when call.Path == "/v1/embeddings" => "assistants.produced_texts",
        LoopSite.AgentModel or LoopSite.NewAgentModel => "gtwy.chat",
        LoopSite.TutorModel => "learning.tutor",
        _ => $"assistants.{ProcessOf(call)}",
    };

    private static string Line(string surface, int calls, ScriptedUsage usage) =>
        $"{surface}: {calls} calls, {usage.Input} in, {usage.CacheRead} cached, {usage.Output} out";
}
