using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Learning.Tutor;
using Stoa.Tests.Support;

namespace Stoa.Tests.Learning.Generation;

public sealed class GenerationTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_course_is_made_of_a_document_and_its_page_hears_of_each_step()
    {
        await using var site = await TutorSite.StartAsync("gen-school");
        var course = await NewCourseAsync(site);
        using var page = await ListenAsync(site, course, site.School.Owner);
        site.Provider.EnqueueFor(TutorSite.Text, Structure("First module", "Second module"));

        var uuid = await StartAsync(site, course);
        var events = await HearAsync(page, "course_structure_completed");
        site.Provider.EnqueueFor(TutorSite.Text, [.. Enumerable.Repeat(Contents(), 4)]);
        await site.Site.PostAsync(site.School.Owner, $"/ai/generate/course/{course}/tasks", new JsonObject { ["job_uuid"] = uuid });
        await site.Site.PostAsync(site.School.Owner, $"/ai/generate/course/{course}/tasks", new JsonObject { ["job_uuid"] = uuid });
        var done = await HearAsync(page, "task_completed", times: 4);
        var tree = await site.Site.GetAsync(site.School.Owner, $"/courses/{course}");

        Assert.Equal(["module_created", "task_created", "task_created"], events.Take(3).Select(one => (string)one["event"]!));
        Assert.Equal(uuid, (string?)events[^1]["job_id"]);
        Assert.Equal([1, 2, 3, 4], done.Select(one => (int)one["total_completed"]!).Order());
        Assert.Equal("completed", (string?)tree["course_generation_status"]);
        Assert.Equal(
            ["First module: material published, quiz published", "Second module: material published, quiz published"],
            tree["milestones"]!.AsArray().Select(module =>
                $"{module!["name"]}: {string.Join(", ", module["tasks"]!.AsArray().Select(task => $"{task!["title"]} {task["status"]}"))}"));
        await AssertContentsAsync(site, tree);
    }

    [Fact]
    public async Task A_run_that_begins_anew_makes_nothing_twice()
    {
        await using var site = await TutorSite.StartAsync("again-school");
        var course = await NewCourseAsync(site);
        // The first run makes the first module, then its connection breaks; the second thinks of other names, and of one task less.
        site.Provider.EnqueueFor(TutorSite.Text, Structure("First module", "Second module").Cut(after: 58));

        await StartAsync(site, course);
        await site.Site.Host.RunJobsAsync();
        var before = await CountAsync(site, course);
        site.Provider.EnqueueFor(TutorSite.Text, Structure("Renamed module"));
        await site.Site.SqlAsync("update platform.jobs set run_at = now() where kind = 'learning.generate_structure'");
        await site.Site.Host.RunJobsAsync();
        var tree = await site.Site.GetAsync(site.School.Owner, $"/courses/{course}");

        Assert.InRange(before.Modules, 1, 2);
        Assert.Equal((1, 2), await CountAsync(site, course));
        Assert.Equal("Renamed module", (string?)tree["milestones"]![0]!["name"]);
        Assert.Equal("pending", (string?)tree["course_generation_status"]);
    }

    [Fact]
    public async Task A_task_that_cannot_be_made_counts_as_finished()
    {
        await using var site = await TutorSite.StartAsync("fail-school");
        var course = await NewCourseAsync(site);
        site.Provider.EnqueueFor(TutorSite.Text, Structure("Only module"));
        var uuid = await StartAsync(site, course);
        await site.Site.Host.RunJobsAsync();
        site.Provider.EnqueueFor(TutorSite.Text, ScriptedAnswer.Error(400), ScriptedAnswer.Error(400));
        using var page = await ListenAsync(site, course, site.School.Owner);

        await site.Site.PostAsync(site.School.Owner, $"/ai/generate/course/{course}/tasks", new JsonObject { ["job_uuid"] = uuid });
        var heard = await HearAsync(page, "task_completed", times: 2);
        var tree = await site.Site.GetAsync(site.School.Owner, $"/courses/{course}");

        Assert.Equal(2, heard.Count);
        Assert.Equal("failed", (string?)tree["course_generation_status"]);
        Assert.All(tree["milestones"]![0]!["tasks"]!.AsArray(),
            task => Assert.Equal(("draft", false), ((string)task!["status"]!, (bool)task["is_generating"]!)));
    }

    [Fact]
    public async Task A_generation_that_is_cancelled_stops_and_leaves_what_is_made()
    {
        await using var site = await TutorSite.StartAsync("cancel-school");
        var course = await NewCourseAsync(site);
        site.Provider.EnqueueFor(TutorSite.Text, Structure("First module", "Second module").Hold(after: 24));
        using var page = await ListenAsync(site, course, site.School.Owner);

        await StartAsync(site, course);
        await HearAsync(page, "module_created");
        await site.Site.PostAsync(site.School.Owner, $"/ai/generate/course/{course}/cancel", new JsonObject());
        await site.Provider.NextAbortAsync(Ct);
        await site.Site.Host.RunJobsAsync();

        Assert.Equal("failed", (string?)(await site.Site.GetAsync(site.School.Owner, $"/courses/{course}"))["course_generation_status"]);
        Assert.True((await CountAsync(site, course)).Modules >= 1);
    }

    [Fact]
    public async Task Only_who_runs_the_school_generates_and_listens()
    {
        await using var site = await TutorSite.StartAsync("door-school");
        var school = site.School;
        var foreign = await site.UploadAsync(school.Learner, "application/pdf", "%PDF-1.4"u8.ToArray());
        var body = Request($"{foreign}.pdf");

        Assert.Equal("403 Forbidden",
            await site.Site.StatusesAsync(school.Mentor, HttpMethod.Post, $"/ai/generate/course/{school.Course}/structure", body));
        Assert.Equal("404 Job not found", await site.Site.StatusesAsync(
            school.Owner, HttpMethod.Post, $"/ai/generate/course/{school.Course}/tasks",
            new JsonObject { ["job_uuid"] = Guid.Empty.ToString() }));
        Assert.Equal("404 File not found", await site.Site.StatusesAsync(
            school.Owner, HttpMethod.Post, $"/ai/generate/course/{school.Course}/structure", Request($"{Guid.Empty}.pdf")));
        Assert.Equal((4403, 4401),
            (await CloseCodeAsync(site, school.Course, school.Learner), await CloseCodeAsync(site, school.Course, learner: null)));
    }

    private static async Task AssertContentsAsync(TutorSite site, JsonNode tree)
    {
        var tasks = tree["milestones"]![0]!["tasks"]!.AsArray();
        var material = await site.Site.GetAsync(site.School.Owner, $"/tasks/{tasks[0]!["id"]}");
        var quiz = await site.Site.GetAsync(site.School.Owner, $"/tasks/{tasks[1]!["id"]}");
        var questions = quiz["questions"]!.AsArray();

        Assert.Equal("explained", (string?)material["blocks"]![0]!["content"]![0]!["text"]);
        Assert.NotNull((string?)material["blocks"]![0]!["id"]);
        Assert.Equal(["objective text", "objective code", "subjective text"],
            questions.Select(question => $"{question!["type"]} {question["input_type"]}"));
        Assert.Equal("""["javascript"]""", questions[1]!["coding_languages"]!.ToJsonString());
        Assert.NotNull(questions[2]!["scorecard_id"]);
        Assert.True((bool)questions[0]!["is_feedback_shown"]!);
    }

    private static async Task<int> NewCourseAsync(TutorSite site) =>
        await site.Site.MakeAsync(site.School.Owner, "/courses/", new JsonObject { ["name"] = "Generated", ["org_id"] = site.School.Org });

    private static async Task<string> StartAsync(TutorSite site, int course)
    {
        var file = await site.UploadAsync(site.School.Owner, "application/pdf", "%PDF-1.4 the reference"u8.ToArray());
        return (string)(await site.Site.PostAsync(
            site.School.Owner, $"/ai/generate/course/{course}/structure", Request($"{file}.pdf")))["job_uuid"]!;
    }

    internal static JsonObject Request(string key) => new()
    {
        ["course_description"] = "About logic", ["intended_audience"] = "beginners",
        ["instructions"] = null, ["reference_material_s3_key"] = key,
    };

    internal static ScriptedAnswer Structure(params string[] modules) => ScriptedAnswer.Json(new JsonObject
    {
        ["modules"] = new JsonArray([.. modules.Select(name => new JsonObject
        {
            ["name"] = name, ["concepts"] = new JsonArray(new JsonObject
            {
                ["name"] = "A concept", ["description"] =
                    "of which there is a lot to be said, so that its text is longer than one step of looking at it is",
                    ["tasks"] = new JsonArray(
                    new JsonObject { ["name"] = "material",
                        ["description"] = "explains it in as many words as it takes", ["type"] = "learning_material" },
                    new JsonObject { ["name"] = "quiz",
                        ["description"] = "practises it with as many questions as it takes", ["type"] = "quiz" }),
            }),
        })]),
    });

    /// <summary>Has what a material needs and what a quiz needs: which is asked for first is not known.</summary>
    internal static ScriptedAnswer Contents() => ScriptedAnswer.Json(new JsonObject
    {
        ["blocks"] = Blocks("explained"),
        ["questions"] = new JsonArray(
            Question("objective", null), Question("coding", new JsonArray("JS")), Question("subjective", null)),
    });

    private static JsonObject Question(string type, JsonArray? languages) => new()
    {
        ["question_title"] = $"A {type} one", ["question_type"] = type,
        ["answer_type"] = "text", ["coding_languages"] = languages, ["blocks"] = Blocks("asked"),
        ["correct_answer"] = Blocks("solved"), ["scorecard"] = null, ["context"] = Blocks("hint"),
    };

    private static JsonArray Blocks(string text) =>
    [
        new JsonObject
        {
            ["type"] = "paragraph", ["props"] = new JsonObject { ["level"] = null, ["checked"] = null, ["language"] = null },
            ["content"] = new JsonArray(new JsonObject { ["text"] = text, ["bold"] = false, ["italic"] = true }),
        },
    ];

    private static async Task<(long Modules, long Tasks)> CountAsync(TutorSite site, int course) => (
        await site.Site.ValueAsync<long>(
            $"select count(*) from learning.course_milestones where course_id = {course} and deleted_at is null"),
        await site.Site.ValueAsync<long>($"select count(*) from learning.course_tasks where course_id = {course} and deleted_at is null"));

    private static async Task<ClientWebSocket> ListenAsync(TutorSite site, int course, Learner? learner)
    {
        var socket = new ClientWebSocket();
        if (learner is not null)
        {
            socket.Options.SetRequestHeader("Authorization", $"Bearer {learner.Token}");
        }
        var address =
            new UriBuilder(site.Site.Host.Client.BaseAddress!) { Scheme = "ws", Path = $"/learning/ws/course/{course}/generation" };
        await socket.ConnectAsync(address.Uri, Ct);
        return socket;
    }

    private static async Task<List<JsonNode>> HearAsync(ClientWebSocket page, string last, int times = 1)
    {
        List<JsonNode> heard = [];
        var buffer = new byte[64 << 10];
        await page.SendAsync("{\"type\":\"ping\"}"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Ct);
        while (heard.Count(one => (string?)one["event"] == last) < times)
        {
            var length = 0;
            WebSocketReceiveResult part;
            do
            {
                part = await page.ReceiveAsync(new(buffer, length, buffer.Length - length), Ct);
                length += part.Count;
            }
            while (!part.EndOfMessage);
            Assert.Equal(WebSocketMessageType.Text, part.MessageType);
            heard.Add(JsonNode.Parse(Encoding.UTF8.GetString(buffer, 0, length))!);
        }
        return times == 1 ? heard : [.. heard.Where(one => (string?)one["event"] == last)];
    }

    private static async Task<int> CloseCodeAsync(TutorSite site, int course, Learner? learner)
    {
        using var socket = await ListenAsync(site, course, learner);
        var part = await socket.ReceiveAsync(new byte[16], Ct);
        Assert.Equal(WebSocketMessageType.Close, part.MessageType);
        return (int)socket.CloseStatus!;
    }
}
