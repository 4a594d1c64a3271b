using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Learning.Tasks;
using Stoa.Platform;
using Stoa.Platform.Jobs;
using Stoa.Tests.Learning.Tutor;
using Stoa.Tests.Support;

namespace Stoa.Tests.Learning;

/// <summary>
/// One school from its founding to a generated course, over HTTP, as its owner, a mentor and two learners live through it.
/// </summary>
public sealed class StoryTests
{
    private const string Voice = "gpt-4o-audio-preview-2025-06-03";

    private static readonly string[] Kinds = ["objective", "subjective", "code", "voice"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_school_opens_teaches_and_grows()
    {
        var clock = new ClockAhead();
        await using var provider = await ScriptedProvider.StartAsync();
        await using var site = await LearningSite.StartAsync(clock, Settings(provider));
        var school = await School.OpenAsync(site, "story");
        var questions = await AskFourWaysAsync(school);

        await DripAsync(school, isOpen: false);
        await AnswerAsync(school, provider, questions);
        await FiguresAsync(school);
        await PublishOnTimeAsync(school, clock);
        await DripAsync(school, isOpen: true);
        await HandInAsync(school, provider);
        await CopyAsync(school);
        await GenerateAsync(school, clock, provider);
    }

    private static (string, string)[] Settings(ScriptedProvider provider) =>
    [
        ("Gateway:Providers:openai:Kind", "openai"), ("Gateway:Providers:openai:BaseUrl", $"{provider.BaseAddress}v1"),
        ("Gateway:Providers:openai:ApiKey", provider.Key), ("Gateway:Retries", "0"),
        ("Learning:Models:Reasoning", $"openai/{TutorSite.Text}"),
        ("Learning:Tutor:RequestsPerMinute", "0"), ("Jobs:DrainSeconds", "0"),
    ];

    /// <summary>The quiz gets one question of each kind.</summary>
    private static async Task<int[]> AskFourWaysAsync(School school)
    {
        var (code, voice) = (School.Question("code"), School.Question("voice", school.Scorecard));
        (code["input_type"], code["coding_languages"], voice["input_type"]) = ("code", new JsonArray("python"), "audio");
        var quiz = await school.Site.PostAsync(school.Owner, $"/tasks/{school.Quiz}/quiz", new JsonObject
        {
            ["title"] = "Four ways", ["status"] = "published",
            ["questions"] = new JsonArray(School.Question("objective"), School.Question("subjective", school.Scorecard), code, voice),
        });
        var seen = await school.Site.GetAsync(school.Learner, $"/tasks/{school.Quiz}");
        Assert.All(seen["questions"]!.AsArray(), question => Assert.Null(question!["answer"]));
        return [.. quiz["questions"]!.AsArray().Select(question => (int)question!["id"]!)];
    }

    /// <summary>With a module a day the second one is closed for learners until tomorrow.</summary>
    private static async Task DripAsync(School school, bool isOpen)
    {
        var site = school.Site;
        if (!isOpen)
        {
            await school.LinkAsync(new() { ["is_drip_enabled"] = true, ["frequency_value"] = 1, ["frequency_unit"] = "day" });
        }
        var learner = Renewed(school, school.Learner);
        var tree = await site.GetAsync(learner, $"/cohorts/{school.Cohort}/courses?include_tree=true");
        Assert.Equal(isOpen, tree[0]!["milestones"]![1]!["unlock_at"] is null);
        Assert.Equal(
            isOpen ? "200 " : "404 Task not found", await site.StatusesAsync(learner, HttpMethod.Get, $"/tasks/{school.Assignment}"));
    }

    /// <summary>
    /// Each question is answered wrong and then right; the tutor's feedback comes in lines, and is kept as the front end keeps it.
    /// </summary>
    private static async Task AnswerAsync(School school, ScriptedProvider provider, int[] questions)
    {
        await school.CompleteAsync(school.Learner, school.Material);
        foreach (var (kind, question) in Kinds.Zip(questions))
        {
            var model = kind == "voice" ? Voice : TutorSite.Text;
            provider.EnqueueFor(model, Judgement(kind, isRight: false), Judgement(kind, isRight: true));
            foreach (var isRight in (bool[])[false, true])
            {
                var said = kind == "voice" ? await SpeakAsync(school) : $"{kind} {isRight}";
                var type = kind switch { "voice" => "audio", "code" => "code", _ => "text" };
                var lines = await TutorAsync(school, question, said, type);
                Assert.True(lines.Count > 0, kind);
                Assert.Equal(isRight, IsRight(kind, lines[^1]));
                await school.Site.PostAsync(school.Learner, "/chat/", Turns(school, question, said, type, lines[^1], isRight));
            }
        }
        var read = await school.Site.GetAsync(school.Mentor, $"/chat/user/{school.Learner.Id}/task/{school.Quiz}");
        Assert.Equal(16, read.AsArray().Count);
        Assert.Equal("403 Forbidden",
            await school.Site.StatusesAsync(school.Other, HttpMethod.Get, $"/chat/user/{school.Learner.Id}/task/{school.Quiz}"));
    }

    private static async Task FiguresAsync(School school)
    {
        var (site, learner) = (school.Site, school.Learner);
        var completion = await site.GetAsync(learner, $"/cohorts/{school.Cohort}/completion?user_id={learner.Id}");
        Assert.True((bool)completion[$"{school.Quiz}"]!["is_complete"]!);
        Assert.False((bool)completion[$"{school.Assignment}"]!["is_complete"]!);
        // Two days when the school's midnight passed meanwhile.
        var streak = (int)(await site.GetAsync(learner, $"/users/{learner.Id}/streak?cohort_id={school.Cohort}"))["streak_count"]!;
        Assert.InRange(streak, 1, 2);
        var board = await site.GetAsync(learner, $"/cohorts/{school.Cohort}/leaderboard");
        Assert.Equal([(learner.Id, 2, streak), (school.Other.Id, 0, 0)],
            board["stats"]!.AsArray()
            .Select(entry => ((int)entry!["user"]!["id"]!, (int)entry["tasks_completed"]!, (int)entry["streak_count"]!)));
        var metrics = await site.GetAsync(school.Mentor, $"/cohorts/{school.Cohort}/courses/{school.Course}/metrics");
        Assert.Equal((3, 1), ((int)metrics["num_tasks"]!, (int)metrics["num_active_learners"]!));
        Assert.Equal(0.5, (double)metrics["task_type_metrics"]!["quiz"]!["completion_rate"]!);
    }

    /// <summary>A material for tomorrow is hidden today; tomorrow it is there, and the job takes its date away.</summary>
    private static async Task PublishOnTimeAsync(School school, ClockAhead clock)
    {
        var site = school.Site;
        var at = clock.GetUtcNow().AddHours(12);
        await site.PostAsync(school.Owner, $"/tasks/{school.Draft}/learning_material", new JsonObject
        {
            ["title"] = "Tomorrow", ["blocks"] = School.Block("soon"),
            ["scheduled_publish_at"] = at.ToString("O", CultureInfo.InvariantCulture),
        });
        Assert.DoesNotContain("Tomorrow", await PublishedAsync(school));

        clock.Advance(TimeSpan.FromDays(1));
        Assert.Contains("Tomorrow", await PublishedAsync(school));
        await site.Host.Services.GetRequiredService<JobQueue>().EnqueueAsync(new PublishScheduled(), null, Ct);
        await site.Host.RunJobsAsync();
        var task = await site.GetAsync(Renewed(school, school.Owner), $"/tasks/{school.Draft}");
        Assert.Equal(("published", null), ((string?)task["status"], (string?)task["scheduled_publish_at"]));
    }

    /// <summary>
    /// An archive is handed in, evaluated and talked about until it is done; then the mentor thinks better of it than the tutor.
    /// </summary>
    private static async Task HandInAsync(School school, ScriptedProvider provider)
    {
        var (site, learner) = (school.Site, Renewed(school, school.Learner));
        var file = await UploadAsync(site, learner, "application/zip", SubmissionTests.Zip(("src/main.py", "print('hello')"u8.ToArray())));
        provider.EnqueueFor(
            TutorSite.Text, AssignmentTests.Evaluation("in_progress", null, 70), AssignmentTests.Evaluation("completed", 8, null));
        JsonNode? stored = null;
        foreach (var (said, content, type) in ((string, string, string)[])[
            (file, $$"""{"file_uuid":"{{file}}","filename":"work.zip"}""", "file"),
            ("Because it is short.", "Because it is short.", "text")])
        {
            var lines = await LinesAsync(site, learner, "/ai/assignment", new JsonObject
            {
                ["task_type"] = "assignment", ["user_id"] = learner.Id, ["user_email"] = learner.Email, ["task_id"] = school.Assignment,
                ["user_response"] = said, ["response_type"] = type,
            });
            stored = await site.PostAsync(learner, "/chat/", new JsonObject
            {
                ["user_id"] = learner.Id, ["task_id"] = school.Assignment,
                ["is_complete"] = (string?)lines[^1]["evaluation_status"] == "completed",
                ["messages"] = new JsonArray(Turn("user", content, type), Turn("assistant", lines[^1].ToJsonString(), type: null)),
            });
        }
        Assert.True((bool)(await site.GetAsync(
            learner, $"/cohorts/{school.Cohort}/completion?user_id={learner.Id}"))[$"{school.Assignment}"]!["is_complete"]!);

        var (mentor, message) = (Renewed(school, school.Mentor), (int)stored![1]!["id"]!);
        await site.PutAsync(mentor, $"/chat/{message}/grade",
            new JsonObject { ["reason"] = "well argued", ["scores"] = new JsonObject { ["Depth"] = 10 } });
        var seen = (await site.GetAsync(learner, $"/chat/user/{learner.Id}/task/{school.Assignment}")).AsArray();
        Assert.Equal(10, (double)JsonNode.Parse((string)seen[^1]!["content"]!)!["key_area_scores"]!["Depth"]!["score"]!);
        Assert.Equal("well argued", (string?)(await site.GetAsync(mentor, $"/chat/{message}/grades"))[0]!["reason"]);
    }

    private static async Task CopyAsync(School school)
    {
        var (site, owner) = (school.Site, Renewed(school, school.Owner));
        var copy = await site.PostAsync(owner, $"/courses/{school.Course}/duplicate", new JsonObject { ["org_id"] = school.Org });
        var tree = await site.GetAsync(owner, $"/courses/{copy["id"]}?only_published=false");
        Assert.Equal("Logic (Copy)", (string?)tree["name"]);
        Assert.Equal([2, 2], tree["milestones"]!.AsArray().Select(module => module!["tasks"]!.AsArray().Count));
        Assert.All(tree["milestones"]!.AsArray().SelectMany(module => module!["tasks"]!.AsArray()),
            task => Assert.Equal("draft", (string?)task!["status"]));
    }

    /// <summary>The host stops while the model is still telling the structure; the next one goes on, and makes nothing twice.</summary>
    private static async Task GenerateAsync(School school, ClockAhead clock, ScriptedProvider provider)
    {
        var (first, owner) = (school.Site, Renewed(school, school.Owner));
        var course = await first.MakeAsync(owner, "/courses/", new JsonObject { ["name"] = "Generated", ["org_id"] = school.Org });
        var file = await UploadAsync(first, owner, "application/pdf", "%PDF-1.4 the reference"u8.ToArray());
        provider.EnqueueFor(TutorSite.Text, Structure().Hold(after: 24));
        var started = await first.PostAsync(owner, $"/ai/generate/course/{course}/structure", new JsonObject
        {
            ["course_description"] = "About logic", ["intended_audience"] = "beginners",
            ["instructions"] = null, ["reference_material_s3_key"] = $"{file}.pdf",
        });
        await Patience.UntilAsync(
            async () => await first.ValueAsync<long>($"select count(*) from learning.course_milestones where course_id = {course}") > 0);
        await first.Host.StopAsync();

        var data = first.Host.Services.GetRequiredService<IOptions<StoaOptions>>().Value.DataDirectory;
        provider.EnqueueFor(TutorSite.Text, [Structure(), .. Enumerable.Repeat(Contents(), 4)]);
        await using var second = await LearningSite.StartAsync(
            clock, [.. Settings(provider), ("ConnectionStrings:Stoa", first.Host.ConnectionString), ("Stoa:DataDirectory", data)]);
        await Patience.UntilAsync(
            async () => (string?)(await second.GetAsync(owner, $"/courses/{course}"))["course_generation_status"] == "pending");
        await second.PostAsync(
            owner, $"/ai/generate/course/{course}/tasks", new JsonObject { ["job_uuid"] = (string)started["job_uuid"]! });
        await Patience.UntilAsync(async () => (string?)(await second.GetAsync(owner, $"/courses/{course}"))["course_generation_status"]
            is "completed" or "failed");

        var tree = await second.GetAsync(owner, $"/courses/{course}");
        Assert.Equal("completed", (string?)tree["course_generation_status"]);
        Assert.Equal(["One: material, quiz", "Two: material, quiz"], tree["milestones"]!.AsArray().Select(module =>
            $"{module!["name"]}: {string.Join(", ", module["tasks"]!.AsArray().Select(task => (string)task!["title"]!))}"));
        Assert.Equal(4L, await second.ValueAsync<long>($"select count(*) from learning.course_tasks where course_id = {course}"));
    }

    /// <summary>A token lasts an hour, and the clock has gone on.</summary>
    private static Learner Renewed(School school, Learner learner) => school.Site.Known(learner.Id, learner.Email);

    private static async Task<List<string>> PublishedAsync(School school)
    {
        var tree = await school.Site.GetAsync(Renewed(school, school.Learner), $"/cohorts/{school.Cohort}/courses?include_tree=true");
        return [.. tree[0]!["milestones"]!.AsArray().SelectMany(module => module!["tasks"]!.AsArray())
            .Select(task => (string)task!["title"]!)];
    }

    private static async Task<string> SpeakAsync(School school) =>
        await UploadAsync(school.Site, school.Learner, "audio/wav", "RIFF spoken"u8.ToArray());

    private static async Task<string> UploadAsync(LearningSite site, Learner learner, string type, byte[] content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/learning/file/upload-local")
        {
            Content = new MultipartFormDataContent { { new ByteArrayContent(content), "file", "upload" },
                { new StringContent(type), "content_type" } },
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", learner.Token);
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return (string)JsonNode.Parse(text)!["file_uuid"]!;
    }

    private static Task<List<JsonNode>> TutorAsync(School school, int question, string said, string type) =>
        LinesAsync(school.Site, school.Learner, "/ai/chat", new JsonObject
        {
            ["task_type"] = "quiz", ["user_id"] = $"{school.Learner.Id}", ["user_email"] = school.Learner.Email, ["task_id"] = school.Quiz,
            ["user_response"] = said, ["question_id"] = $"{question}", ["response_type"] = type,
        });

    private static async Task<List<JsonNode>> LinesAsync(LearningSite site, Learner learner, string path, JsonObject body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/learning{path}")
        {
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", learner.Token);
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    private static JsonObject Turns(School school, int question, string said, string type, JsonNode answer, bool isDone) => new()
    {
        ["user_id"] = $"{school.Learner.Id}", ["question_id"] = question, ["is_complete"] = isDone, ["messages"] = new JsonArray(
            Turn("user", said, type), Turn("assistant", answer.ToJsonString(), type: null)),
    };

    private static JsonObject Turn(string role, string content, string? type) => new()
    {
        ["role"] = role, ["content"] = content, ["response_type"] = type,
        ["created_at"] = TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture),
    };

    private static bool IsScored(string kind) => kind is "subjective" or "voice";

    private static bool IsRight(string kind, JsonNode line) => IsScored(kind)
        ? (double)line["scorecard"]!["Depth"]!["score"]! >= (double)line["scorecard"]!["Depth"]!["pass_score"]!
        : (bool)line["is_correct"]!;

    private static ScriptedAnswer Judgement(string kind, bool isRight) =>
        !IsScored(kind) ? TutorSite.Objective(isRight) : ScriptedAnswer.Json(new JsonObject
    {
        ["chain_of_thought"] = "thinking", ["feedback"] = "a summary", ["scorecard"] = new JsonObject
        {
            ["Depth"] = new JsonObject
            {
                ["feedback"] = new JsonObject { ["correct"] = "deep", ["wrong"] = isRight ? null : "not deep enough" },
                ["score"] = isRight ? 9 : 2,
                ["max_score"] = 10, ["pass_score"] = 6,
            },
        },
    });

    private static ScriptedAnswer Structure() => ScriptedAnswer.Json(new JsonObject
    {
        ["modules"] = new JsonArray([.. new[] { "One", "Two" }.Select(name => new JsonObject
        {
            ["name"] = name, ["concepts"] = new JsonArray(new JsonObject
            {
                ["name"] = "A concept",
                ["description"] = "of which there is a lot to be said, so that its text is longer than one step of looking at it is",
                ["tasks"] = new JsonArray(
                    new JsonObject { ["name"] = "material",
                        ["description"] = "explains it in as many words as it takes", ["type"] = "learning_material" },
                    new JsonObject { ["name"] = "quiz",
                        ["description"] = "practises it with as many questions as it takes", ["type"] = "quiz" }),
            }),
        })]),
    });

    /// <summary>Has what a material needs and what a quiz needs: which is asked for first is not known.</summary>
    private static ScriptedAnswer Contents() => ScriptedAnswer.Json(new JsonObject
    {
        ["blocks"] = Blocks("explained"),
        ["questions"] = new JsonArray(new JsonObject
        {
            ["question_title"] = "One", ["question_type"] = "objective",
            ["answer_type"] = "text", ["coding_languages"] = null, ["blocks"] = Blocks("asked"),
            ["correct_answer"] = Blocks("solved"), ["scorecard"] = null, ["context"] = Blocks("hint"),
        }),
    });

    private static JsonArray Blocks(string text) =>
    [
        new JsonObject
        {
            ["type"] = "paragraph", ["props"] = new JsonObject { ["level"] = null, ["checked"] = null, ["language"] = null },
            ["content"] = new JsonArray(new JsonObject { ["text"] = text, ["bold"] = false, ["italic"] = false }),
        },
    ];

    /// <summary>The system's clock, set forward; its timers run as ever.</summary>
    private sealed class ClockAhead : TimeProvider
    {
        private long ahead;

        public void Advance(TimeSpan by) => Interlocked.Add(ref ahead, by.Ticks);

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref ahead));
    }
}
