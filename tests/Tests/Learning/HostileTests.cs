using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Learning.Submissions;
using Stoa.Learning.Tutor;
using Stoa.Platform.Http;
using Stoa.Platform.Notifications;

namespace Stoa.Tests.Learning;

public sealed class HostileTests(SharedLearningSite shared) : IClassFixture<SharedLearningSite>
{
    private const int Assignments = 6;

    [Theory]
    [InlineData("""{"type":"paragraph","type":"heading"}""")]
    [InlineData("""{"type":"\ud800"}""")]
    [InlineData("""{"type":"paragraph","content":[{"text":"\udc00 half"}]}""")]
    [InlineData("""{"type":"paragraph","props":{"\ud800":1}}""")]
    [InlineData("""{"type":"paragraph","content":[{"text":"\u0000"}]}""")]
    [InlineData("""{"type":"paragraph","props":{"size":1e999999}}""")]
    [InlineData("\"paragraph\"")]
    [InlineData("\"\\ud800\"")]
    [InlineData("""[{"x":"\ud800"}]""")]
    public async Task A_block_that_cannot_be_kept_is_refused(string block)
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/learning/tasks/{school.Material}/learning_material")
        {
            Content = new StringContent($$"""{"title":"t","status":"published","blocks":[{{block}}]}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", school.Owner.Token);

        using var answer = await site.Host.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
    }

    [Theory]
    [InlineData("POST", "/courses/", """{"name":"c","org_id":"\ud800"}""")]
    [InlineData(
        "PUT", "/tasks/{0}/learning_material", """{"title":"t","status":"published","blocks":[],"scheduled_publish_at":"\udc00"}""")]
    [InlineData("POST", "/scorecards/",
        """{"title":"s","org_id":1,"criteria":[{"name":"n","description":"d","min_score":"\ud800","max_score":1,"pass_score":1}]}""")]
    public async Task Half_a_character_is_neither_a_number_nor_a_time(string method, string path, string body)
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();
        using var request =
            new HttpRequestMessage(new(method), $"/learning{path.Replace("{0}", $"{school.Material}", StringComparison.Ordinal)}")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", school.Owner.Token);

        using var answer = await site.Host.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
    }

    [Fact]
    public async Task What_a_learner_does_in_another_school_is_not_this_ones_to_know()
    {
        var site = shared.Site;
        var (theirs, school) = (await shared.OpenSchoolAsync(), await shared.OpenSchoolAsync());
        await site.PostAsync(school.Owner, $"/cohorts/{school.Cohort}/members", new JsonObject
        {
            ["org_id"] = school.Org, ["emails"] = new JsonArray(theirs.Learner.Email), ["roles"] = new JsonArray("learner"),
        });
        await theirs.CompleteAsync(theirs.Learner, theirs.Material);
        await SayAsync(theirs, theirs.Learner, theirs.Questions[0], "2026-11-20T09:41:10Z", isComplete: true);

        foreach (var grid in (string[])["task_metrics", "task_attempt_data"])
        {
            var path = $"/cohorts/{{0}}/{grid}?task_ids={theirs.Material}&task_ids={theirs.Quiz}";
            Assert.Equal(0, Marks(await site.GetAsync(school.Owner, path.Replace("{0}", $"{school.Cohort}", StringComparison.Ordinal))));
            Assert.InRange(
                Marks(await site.GetAsync(theirs.Owner, path.Replace("{0}", $"{theirs.Cohort}", StringComparison.Ordinal))), 1, 2);
        }

        static int Marks(JsonNode rows) =>
            rows.AsArray().Sum(row => row!.AsObject().Where(cell => cell.Key.StartsWith("task_", StringComparison.Ordinal))
            .Sum(cell => (int)cell.Value!));
    }

    [Fact]
    public async Task Lists_that_nobody_needs_are_refused()
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();
        JsonArray Many(Func<int, JsonNode> make) => [.. Enumerable.Range(1, 5_001).Select(make)];

        var members = new JsonObject { ["org_id"] = school.Org, ["emails"] = Many(n => $"a{n}@x.org"), ["roles"] = Many(_ => "learner") };
        var quiz = new JsonObject { ["title"] = "Quiz", ["status"] = "draft", ["questions"] = Many(_ => School.Question("One")) };
        var places = new JsonObject { ["course_tasks"] = Many(n => new JsonArray(n, school.Course, null)) };

        Assert.StartsWith("422 ", await site.StatusesAsync(school.Owner, HttpMethod.Post, $"/cohorts/{school.Cohort}/members", members),
            StringComparison.Ordinal);
        Assert.StartsWith(
            "422 ", await site.StatusesAsync(school.Owner, HttpMethod.Post, $"/tasks/{school.Quiz}/quiz", quiz), StringComparison.Ordinal);
        Assert.StartsWith(
            "422 ", await site.StatusesAsync(school.Owner, HttpMethod.Post, "/courses/tasks", places), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_keeps_a_streak_by_what_he_says_tomorrow()
    {
        var school = await shared.OpenSchoolAsync();

        var said = await SayAsync(school, school.Learner, school.Questions[0], "2199-01-01T00:00:00Z");

        Assert.StartsWith("20", (string)said[0]!["created_at"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_assignment_that_is_saved_by_two_at_once_is_there_once()
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();
        var task = await school.AddTaskAsync(school.Second, "assignment");
        var body = new JsonObject { ["title"] = "Build", ["assignment"] = new JsonObject { ["blocks"] = School.Block("build") } };

        var answers = await Task.WhenAll(Enumerable.Range(0, Assignments).Select(_ =>
            site.SendAsync(school.Owner, HttpMethod.Post, $"/tasks/{task}/assignment", body.DeepClone())));

        Assert.Equal([200, .. Enumerable.Repeat(404, Assignments - 1)], answers.Select(answer => answer.Status).Order());
    }

    [Theory]
    [InlineData("""{"feedback":"f","scorecard":[{"category":1}]}""")]
    [InlineData("""{"feedback":"f","scorecard":{},"scorecard":[]}""")]
    public async Task A_grade_that_its_learner_has_garbled_is_refused(string stored)
    {
        var site = shared.Site;
        var school = await shared.OpenSchoolAsync();
        var said = await SayAsync(school, school.Learner, school.Questions[1], "2026-11-20T09:41:10Z", stored);
        var change = new JsonObject { ["reason"] = "better", ["scores"] = new JsonObject { ["Depth"] = 7 } };

        Assert.StartsWith("400 ", await site.StatusesAsync(school.Mentor, HttpMethod.Put, $"/chat/{said[1]!["id"]}/grade", change),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_archive_whose_sizes_come_to_more_than_a_number_holds_is_none()
    {
        var refused = await Assert.ThrowsAsync<Failure>(
            () => Submission.ReadAsync(new MemoryStream(Boasting(entries: 2)), new TutorOptions(), TestContext.Current.CancellationToken));

        Assert.Equal(FailureKind.Invalid, refused.Kind);
    }

    [Fact]
    public void What_people_write_calls_nobody_in_Slack() =>
        Assert.Equal("&lt;!channel&gt; New school created: x &amp; y", Slack.Plain("<!channel>\nNew school created: x & y"));

    private static async Task<JsonArray> SayAsync(
        School school, Learner learner, int question, string at, string? answer = null, bool isComplete = false) =>
        (await school.Site.PostAsync(learner, "/chat/", new JsonObject
        {
            ["user_id"] = learner.Id, ["question_id"] = question, ["is_complete"] = isComplete, ["messages"] = new JsonArray(
                new JsonObject { ["role"] = "user", ["content"] = "x", ["created_at"] = at },
                new JsonObject { ["role"] = "assistant", ["content"] = answer ?? "{}", ["created_at"] = at }),
        })).AsArray();

    /// <summary>A directory without files, each of which claims to be as large as can be said.</summary>
    private static byte[] Boasting(int entries)
    {
        const int length = 46 + 5 + 12;
        var archive = new byte[(entries * length) + 22];
        for (var index = 0; index < entries; index++)
        {
            var entry = archive.AsSpan(index * length, length);
            BinaryPrimitives.WriteUInt32LittleEndian(entry, 0x02014b50);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[6..], 45);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[24..], uint.MaxValue);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[28..], 5);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[30..], 12);
            "a.txt"u8.CopyTo(entry[46..]);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[51..], 1);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[53..], 8);
            BinaryPrimitives.WriteInt64LittleEndian(entry[55..], long.MaxValue);
        }
        var end = archive.AsSpan(entries * length);
        BinaryPrimitives.WriteUInt32LittleEndian(end, 0x06054b50);
        BinaryPrimitives.WriteUInt16LittleEndian(end[8..], (ushort)entries);
        BinaryPrimitives.WriteUInt16LittleEndian(end[10..], (ushort)entries);
        BinaryPrimitives.WriteUInt32LittleEndian(end[12..], (uint)(entries * length));
        return archive;
    }
}
