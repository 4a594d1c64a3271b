using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Stoa.Learning.Tutor;
using Stoa.Tests.Support;

namespace Stoa.Tests.Learning.Tutor;

public sealed class TutorSettingsTests
{
    [Fact]
    public async Task Without_any_provider_the_demo_judges()
    {
        await using var site = await LearningSite.StartAsync();
        var school = await School.OpenAsync(site, "demo-school");

        var judged = await site.OkLinesAsync(school.Learner, "/ai/chat", new JsonObject
        {
            ["task_type"] = "quiz", ["user_id"] = school.Learner.Id,
            ["user_email"] = "x", ["task_id"] = school.Quiz, ["user_response"] = "essay",
            ["question_id"] = school.Questions[1], ["response_type"] = "text",
        });
        var score = (double?)judged["scorecard"]?["Depth"]?["score"];

        Assert.False(string.IsNullOrEmpty((string?)judged["feedback"]));
        Assert.True(score is null or (>= 0 and <= 10));
    }

    [Fact]
    public async Task The_router_sends_what_is_hard_to_the_model_that_reasons()
    {
        await using var site = await TutorSite.StartAsync("router-school", ("Learning:Models:Reasoning", "openai/o3-mini-2025-01-31"));
        site.Provider.EnqueueFor("gpt-4.1-mini-2025-04-14", ScriptedAnswer.Json(
            new JsonObject { ["chain_of_thought"] = "hard", ["use_reasoning_model"] = true }), ScriptedAnswer.Error(500));
        site.Provider.EnqueueFor("o3-mini-2025-01-31", TutorSite.Objective(isCorrect: true));
        site.Provider.EnqueueFor(TutorSite.Text, TutorSite.Objective(isCorrect: false));

        var hard = await site.AskAsync(site.School.Learner, site.Question(site.School.Learner, "a proof"));
        var withoutRouter = await site.AskAsync(site.School.Learner, site.Question(site.School.Learner, "a proof"));
        var routed = site.Provider.RequestsFor("gpt-4.1-mini-2025-04-14")[0].Json!.ToJsonString();

        Assert.True((bool)hard.Last["is_correct"]!);
        Assert.False((bool)withoutRouter.Last["is_correct"]!);
        Assert.DoesNotContain("the knowledge base", routed, StringComparison.Ordinal);
        Assert.False(site.Provider.RequestsFor("o3-mini-2025-01-31")[0].Json!.ContainsKey("temperature"));
        Assert.Equal(0, (double)site.Provider.RequestsFor(TutorSite.Text)[0].Json!["temperature"]!);
    }

    [Fact]
    public async Task Who_asks_too_much_is_told_to_wait()
    {
        await using var site = await TutorSite.StartAsync("limit-school", ("Learning:Tutor:RequestsPerMinute", "1"));
        site.Provider.EnqueueFor(TutorSite.Text, TutorSite.Objective(isCorrect: true), TutorSite.Objective(isCorrect: true));

        var first = await site.AskAsync(site.School.Learner, site.Question(site.School.Learner, "1"));

        Assert.Equal(200, first.Status);
        Assert.StartsWith(
            "429", await site.RefusalAsync(site.School.Learner, site.Question(site.School.Learner, "2")), StringComparison.Ordinal);
        Assert.Equal(200, (await site.AskAsync(site.School.Other, site.Question(site.School.Other, "1"))).Status);
    }

    [Fact]
    public async Task A_school_is_served_by_its_own_key_and_no_other_school_is()
    {
        await using var site = await TutorSite.StartAsync(
            "key-school", ("Gateway:Providers:openai:ApiKey", "wrong"), ("Learning:Models:Text", $"openai/{TutorSite.Text}"));
        var school = site.School;
        var path = $"/organizations/{school.Org}/provider_keys";

        Assert.Equal("502 The model could not answer", await site.RefusalAsync(school.Learner, site.Question(school.Learner, "x")));
        Assert.Equal("403 Forbidden",
            await site.Site.StatusesAsync(school.Mentor, HttpMethod.Put, $"{path}/openai", new JsonObject { ["key"] = site.Provider.Key }));
        Assert.StartsWith("400 ", await site.Site.StatusesAsync(
            school.Owner, HttpMethod.Put, $"{path}/openai", new JsonObject { ["key"] = "not-the-key" }), StringComparison.Ordinal);
        var kept = await site.Site.PutAsync(school.Owner, $"{path}/openai", new JsonObject { ["key"] = site.Provider.Key });
        site.Provider.EnqueueFor(TutorSite.Text, TutorSite.Objective(isCorrect: true),
            TutorSite.Objective(isCorrect: true), TutorSite.Objective(isCorrect: true));
        while ((await site.AskAsync(school.Learner, site.Question(school.Learner, "x"))).Status != 200)
        {
            // Hosts hear of a new key within a second.
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }
        var other = await School.OpenAsync(site.Site, "other-school");
        var question = site.Question(other.Learner, "x", other.Questions[0]);
        question["task_id"] = other.Quiz;

        Assert.DoesNotContain(site.Provider.Key, kept.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("openai", (string?)(await site.Site.GetAsync(school.Owner, path))[0]!["provider"]);
        Assert.Equal("502 The model could not answer", await site.RefusalAsync(other.Learner, question));
        Assert.Equal(0L, await site.Site.ValueAsync<long>(
            $"select count(*) from gateway.provider_keys where encode(secret, 'escape') like '%{site.Provider.Key}%'"));
        await site.Site.DeleteAsync(school.Owner, $"{path}/openai");
        Assert.Equal("404 Key not found", await site.Site.StatusesAsync(school.Owner, HttpMethod.Delete, $"{path}/openai"));
    }

    [Fact]
    public void An_operators_own_words_go_before_ours_and_a_schools_before_his()
    {
        var folder = Directory.CreateTempSubdirectory("stoa-prompts-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "7"));
        File.WriteAllText(Path.Combine(folder, "objective.md"), "the operator's");
        File.WriteAllText(Path.Combine(folder, "7", "objective.md"), "the school's");
        var prompts = new TutorPrompts(Options.Create(new TutorOptions { PromptsDirectory = folder }));

        Assert.Equal(
            ["the school's", "the operator's", "objective.own"],
            [prompts.Find("objective", 7).Text, prompts.Find("objective", 8).Text, prompts.Find("objective", 8).Version]);
        Assert.Equal("router.1", prompts.Find("router", 7).Version);
        Directory.Delete(folder, recursive: true);
    }
}

internal static class LineReading
{
    /// <summary>The last line of a stream that must succeed.</summary>
    public static async Task<JsonNode> OkLinesAsync(this LearningSite site, Learner learner, string path, JsonNode body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/learning{path}")
        {
            Content = new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new("Bearer", learner.Token);
        using var answer = await site.Host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1])!;
    }
}
