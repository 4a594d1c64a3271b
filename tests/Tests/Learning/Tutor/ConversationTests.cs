using System.Text.Json.Nodes;

namespace Stoa.Tests.Learning.Tutor;

public sealed class ConversationTests(ConversationTests.SharedSite shared) : IClassFixture<ConversationTests.SharedSite>
{
    private TutorSite Site => shared.Site;

    private School School => shared.Site.School;

    [Fact]
    public async Task Turns_are_stored_as_they_were_sent_and_read_in_their_order()
    {
        var stored = await Site.Site.PostAsync(
            School.Learner, "/chat/?userId=1&taskId=2", TutorTests.ChatBody(School.Learner, School.Questions[0], "41"));
        var read = await Site.Site.GetAsync(School.Learner, $"/chat/user/{School.Learner.Id}/task/{School.Quiz}");

        Assert.Equal("2026-11-20 09:41:10+00:00", (string?)stored[0]!["created_at"]);
        Assert.Equal((School.Quiz, "user", "41", "text"), ((int)stored[0]!["task_id"]!,
            (string)stored[0]!["role"]!, (string)stored[0]!["content"]!, (string)stored[0]!["response_type"]!));
        Assert.Contains(read.AsArray(), message => JsonNode.DeepEquals(message, stored[0]));
        Assert.Contains((await Site.Site.GetAsync(School.Owner, $"/chat/?org_id={School.Org}")).AsArray(),
            message => JsonNode.DeepEquals(message, stored[0]));
    }

    [Fact]
    public async Task What_the_tutor_did_not_find_right_is_marked_when_the_client_calls_it_done()
    {
        var question = School.Questions[0];
        Site.Provider.EnqueueFor(TutorSite.Text, TutorSite.Objective(isCorrect: false), TutorSite.Objective(isCorrect: true));

        await Site.AskAsync(School.Other, Site.Question(School.Other, "41"));
        await Site.Site.PostAsync(School.Other, "/chat/", TutorTests.ChatBody(School.Other, question, "41", isComplete: true));
        await Site.AskAsync(School.Learner, Site.Question(School.Learner, "42"));
        await Site.Site.PostAsync(School.Learner, "/chat/", TutorTests.ChatBody(School.Learner, question, "42", isComplete: true));
        await Site.Site.PostAsync(School.Learner, "/chat/", TutorTests.ChatBody(School.Learner, question, "again", isComplete: true));

        Assert.Equal("client true", await CompletionAsync(School.Other, question));
        Assert.Equal("evaluation false", await CompletionAsync(School.Learner, question));
    }

    [Fact]
    public async Task Conversations_are_about_something_that_there_is()
    {
        var nothing = TutorTests.ChatBody(School.Learner, 0, "x");
        nothing.Remove("question_id");

        Assert.Equal("400 Either question_id or task_id must be provided",
            await Site.Site.StatusesAsync(School.Learner, HttpMethod.Post, "/chat/", nothing));
        Assert.Equal("404 Question not found",
            await Site.Site.StatusesAsync(School.Learner, HttpMethod.Post, "/chat/", TutorTests.ChatBody(School.Learner, 999_999, "x")));
        Assert.Equal(
            "400 Task is not a quiz or assignment",
            await Site.Site.StatusesAsync(School.Learner, HttpMethod.Get, $"/chat/user/{School.Learner.Id}/task/{School.Material}"));
        Assert.Equal("404 Task not found",
            await Site.Site.StatusesAsync(School.Learner, HttpMethod.Get, $"/chat/user/{School.Learner.Id}/task/999999"));
    }

    [Fact]
    public async Task Nobody_writes_or_reads_the_conversations_of_others()
    {
        var path = $"/chat/user/{School.Learner.Id}/task/{School.Quiz}";
        var outsider = await Site.Site.SignInAsync("outsider@elsewhere.org");

        Assert.Equal("403 Forbidden", await Site.Site.StatusesAsync(
            School.Other, HttpMethod.Post, "/chat/", TutorTests.ChatBody(School.Learner, School.Questions[0], "x")));
        Assert.Equal("403 Forbidden", await Site.Site.StatusesAsync(School.Other, HttpMethod.Get, path));
        Assert.Equal("403 Forbidden", await Site.Site.StatusesAsync(outsider, HttpMethod.Get, path));
        await Site.Site.GetAsync(School.Admin, $"/chat/?org_id={School.Org}");
        Assert.Equal("403 Forbidden", await Site.Site.StatusesAsync(School.Mentor, HttpMethod.Get, $"/chat/?org_id={School.Org}"));
        Assert.Equal("403 Forbidden", await Site.Site.StatusesAsync(School.Owner, HttpMethod.Delete, "/chat/"));
        await Site.Site.GetAsync(School.Mentor, path);
    }

    [Fact]
    public async Task An_exam_has_as_many_attempts_as_its_author_says()
    {
        var exam = School.Question("Exam");
        (exam["response_type"], exam["max_attempts"]) = ("exam", 1);
        var task = await School.AddTaskAsync(School.First, "quiz");
        var quiz = await Site.Site.PostAsync(School.Owner, $"/tasks/{task}/quiz", new JsonObject
        {
            ["title"] = "Exam", ["status"] = "published", ["questions"] = new JsonArray(exam),
        });
        var question = (int)quiz["questions"]![0]!["id"]!;
        Site.Provider.EnqueueFor(TutorSite.Text, TutorSite.Objective(isCorrect: false));
        var ask = Site.Question(School.Learner, "mine", question);
        ask["task_id"] = task;

        await Site.Site.PostAsync(School.Learner, "/chat/", TutorTests.ChatBody(School.Learner, question, "mine"));
        var judged = await Site.AskAsync(School.Learner, ask);
        ask["user_response"] = "another";

        Assert.Equal(200, judged.Status);
        Assert.Equal("400 No attempts are left for this question", await Site.RefusalAsync(School.Learner, ask));
        Assert.Equal(
            "400 No attempts are left for this question",
            await Site.Site.StatusesAsync(
                School.Learner, HttpMethod.Post, "/chat/", TutorTests.ChatBody(School.Learner, question, "another")));
    }

    [Fact]
    public async Task A_mentor_changes_a_grade_and_the_change_stays_on_record()
    {
        var question = School.Questions[1];
        var body = TutorTests.ChatBody(School.Other, question, "essay");
        var given = """{"feedback":"hm","scorecard":[{"category":"Depth","feedback":{"correct":"a","wrong":"b"},"score":2,"max_score":10,"pass_score":6}]}""";
        body["messages"]!.AsArray().Add((JsonNode)new JsonObject { ["role"] = "assistant",
            ["content"] = given, ["response_type"] = null, ["created_at"] = "2026-11-20T09:41:11Z" });
        var message = (int)(await Site.Site.PostAsync(School.Other, "/chat/", body))[1]!["id"]!;
        var change = new JsonObject { ["reason"] = "Deeper than it looks", ["scores"] = new JsonObject { ["Depth"] = 8 } };

        var changed = await Site.Site.PutAsync(School.Mentor, $"/chat/{message}/grade", change);
        var record = await Site.Site.GetAsync(School.Owner, $"/chat/{message}/grades");

        Assert.Equal(8, (double)JsonNode.Parse((string)changed["content"]!)!["scorecard"]![0]!["score"]!);
        Assert.Equal(
            (School.Mentor.Id, "Deeper than it looks", given, (string)changed["content"]!),
            ((int)record[0]!["changed_by"]!, (string)record[0]!["reason"]!, (string)record[0]!["before"]!, (string)record[0]!["after"]!));
        Assert.Equal("override false", await CompletionAsync(School.Other, question));
        Assert.Equal("403 Forbidden", await Site.Site.StatusesAsync(School.Other, HttpMethod.Put, $"/chat/{message}/grade", change));
        Assert.Equal("404 Message not found", await Site.Site.StatusesAsync(School.Learner, HttpMethod.Get, $"/chat/{message}/grades"));
        change["scores"] = new JsonObject { ["Depth"] = 11 };
        Assert.StartsWith("400 The score",
            await Site.Site.StatusesAsync(School.Mentor, HttpMethod.Put, $"/chat/{message}/grade", change), StringComparison.Ordinal);
    }

    private async Task<string> CompletionAsync(Learner learner, int question) => await Site.Site.ValueAsync<string>(
        $"select source || ' ' || is_disputed::text from learning.task_completions where user_id = {learner.Id} and question_id = {question} and deleted_at is null");

    public sealed class SharedSite : IAsyncLifetime
    {
        internal TutorSite Site { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Site = await TutorSite.StartAsync("chat-school");

        public ValueTask DisposeAsync() => Site.DisposeAsync();
    }
}
