using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Learning;
using Stoa.Learning.Cohorts;
using Stoa.Learning.Notifications;
using Stoa.Learning.Privacy;
using Stoa.Learning.Traces;
using Stoa.Platform.Jobs;
using Stoa.Platform.Storage;
using Stoa.Tests.Platform.Egress;
using Stoa.Tests.Support;
using static Stoa.Tests.Learning.ServicesSite;

namespace Stoa.Tests.Learning.Services;

/// <summary>What the operators are told, and what is kept of a day.</summary>
public sealed class NewsTests
{
    private const string Said = """
        insert into learning.chat_history (user_id, question_id, task_id, role, content, created_at) values
          (4, 1, null, 'user', 'forty-one', '2026-11-19 20:00+00'), (4, 1, null, 'assistant', 'look again', '2026-11-19 20:00:05+00'),
          (5, null, 3, 'user', 'my work', '2026-11-20 08:00+00'), (4, 1, null, 'user', 'another day', '2026-11-20 20:00+00');
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_operators_are_told_in_the_words_of_the_original()
    {
        var told = new ConcurrentQueue<(string Channel, string Text)>();
        await using var slack = await SinkAsync(told);
        await using var site = await StartAsync(new()
        {
            ["Notifications:Slack:UserSignupWebhook"] = $"{slack.Url}signup",
            ["Notifications:Slack:CourseCreatedWebhook"] = $"{slack.Url}course",
        });

        foreach (var news in (TellSlack[])[
            TellSlack.UserCreated(Owner), TellSlack.SchoolCreated(SchoolId, Owner), TellSlack.AdminAdded(Admin, SchoolId),
            TellSlack.MemberAdded(Pupil, Cohort, CohortRole.Learner),
            TellSlack.MemberAdded(Mentor, Cohort, CohortRole.Mentor), TellSlack.CourseCreated(Course)])
        {
            await TellAsync(site, news);
        }
        await site.Host.RunJobsAsync();

        (string, string)[] expected =
        [
            ("signup", "User created: owner@ex.org UserId: 1"),
            ("signup", "New school created: School One (SchoolId: 1)\nCreated by: owner@ex.org (UserId: 1)"),
            ("signup", "User added as admin: admin@ex.org UserId: 2\nSchool: school-one (SchoolId: 1)"),
            ("signup", "Learner added to cohort: learner@ex.org UserId: 4\nSchool: school-one (SchoolId: 1)\nCohort: Cohort One (CohortId: 1)"),
            ("signup", "Mentor added to cohort: mentor@ex.org UserId: 3\nSchool: school-one (SchoolId: 1)\nCohort: Cohort One (CohortId: 1)"),
            ("course", "New course created: Course A (CourseId: 1)\nSchool: school-one (SchoolId: 1)"),
        ];
        Assert.Equal(expected.Order(), told.Order());
        Assert.Equal(0L, await site.ReadAsync<long>("select count(*) from platform.finished_jobs where args::text like '%@ex.org%'"));
    }

    [Fact]
    public async Task The_texts_are_those_of_the_recorded_exchanges()
    {
        var examples = Repository.Shared("contracts/learning.examples.jsonl");
        Assert.SkipUnless(examples is not null, "the recorded exchanges are not there");
        var recorded = (await File.ReadAllLinesAsync(examples, Ct)).Select(line => JsonNode.Parse(line)!)
            .Where(entry => (string?)entry["flow"] == "slack")
            .Select(entry => ((string)entry["webhook"]!, (string)entry["body"]!["text"]!)).Distinct().ToList();
        var told = new ConcurrentQueue<(string Channel, string Text)>();
        await using var slack = await SinkAsync(told);
        await using var site = await StartAsync(new()
        {
            ["Notifications:Slack:UserSignupWebhook"] = $"{slack.Url}signup",
            ["Notifications:Slack:CourseCreatedWebhook"] = $"{slack.Url}course",
        });
        // As they were when it was recorded.
        await site.RunAsync("""
            update learning.users set email = 'x' || id;
            update learning.users
              set email = (array['owner@ex.org', 'admin2@ex.org', 'l1@ex.org', 'l2@ex.org', 'm1@ex.org'])[id] where id <= 5;
            update learning.organizations set name = 'Two', slug = 'two' where id = 2;
            insert into learning.courses (org_id, name) values (1, 'Course B'), (2, 'Course A1 (Copy)');
            """);

        TellSlack[] news =
        [
            .. Enumerable.Range(1, 5).Select(TellSlack.UserCreated), TellSlack.SchoolCreated(1, 1),
            TellSlack.SchoolCreated(2, 2), TellSlack.AdminAdded(2, 1),
            TellSlack.MemberAdded(3, 1, CohortRole.Learner),
            TellSlack.MemberAdded(4, 1, CohortRole.Learner), TellSlack.MemberAdded(5, 1, CohortRole.Mentor),
            .. Enumerable.Range(1, 3).Select(TellSlack.CourseCreated),
        ];
        foreach (var one in news)
        {
            await site.Host.Services.GetRequiredService<JobQueue>().EnqueueAsync(one, null, Ct);
        }
        await site.Host.RunJobsAsync();

        Assert.NotEmpty(recorded);
        Assert.Equal(recorded.Order(), told.Order());
    }

    [Fact]
    public async Task Where_nobody_listens_no_job_is_made()
    {
        await using var site = await StartAsync();

        await TellAsync(site, TellSlack.UserCreated(Owner));

        Assert.Equal(0L, await site.ReadAsync<long>("select count(*) from platform.jobs where kind = 'learning.tell_slack'"));
    }

    [Fact]
    public async Task The_days_figures_count_messages_by_school_and_calls_by_model()
    {
        var told = new ConcurrentQueue<(string Channel, string Text)>();
        await using var slack = await SinkAsync(told);
        await using var site = await StartAsync(new() { ["Notifications:Slack:UsageStatsWebhook"] = $"{slack.Url}usage" });
        await site.RunAsync("""
            insert into learning.chat_history (user_id, question_id, task_id, role, content, created_at) values
              (4, 1, null, 'user', 'a', now()), (4, 1, null, 'assistant', 'b', now()), (4, null, 3, 'user', 'c', now());
            insert into learning.chat_history (user_id, question_id, role, content, created_at, deleted_at)
              values (4, 1, 'user', 'd', now(), now());
            insert into gateway.usage_days (organization_id, start, agent_id, version_id, folder_id, provider_key_id, key_id, provider,
              model, surface, calls, failed, unpriced,
              cached, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost, latency_ms,
                latencies, last_at)
            select '01980000-0000-7000-8000-000000000001', date_trunc('year', now(), 'UTC'), '', '', '', '',
              '00000000-0000-0000-0000-000000000000', 'openai',
              'gpt-4.1', 'learning.tutor', 1234, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, array_fill(0, array[20]), now();
            """);

        await site.Host.Services.GetRequiredService<JobQueue>().EnqueueAsync(new TellUsage(), null, Ct);
        await site.Host.RunJobsAsync();

        var (channel, text) = Assert.Single(told);
        Assert.Equal("usage", channel);
        Assert.Contains(
            "*⚡ Last 24 Hours*\nTotal messages: *2*\n```\nOrganization                   | Messages\n", text, StringComparison.Ordinal);
        Assert.Contains("\nSchool One                     |        2\n", text, StringComparison.Ordinal);
        var now = TimeProvider.System.GetUtcNow();
        if (now.DayOfYear > 1)
        {
            Assert.Contains("\nSchool One: gpt-4.1                                |    1,234\n", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Long_names_are_cut_and_what_is_beyond_five_is_one_line()
    {
        var schools = Enumerable.Range(1, 7)
            .Select(number => ($"School {number} {(number == 1 ? new string('x', 40) : "`")}", (long)(10_000 - number))).ToList();

        var text = UsageText.Of([new("⚡ Last 24 Hours", schools, []), new("📈 This Month", [], [])]);

        var lines = text.Split('\n');
        Assert.Equal("Total messages: *69,972*", lines[1]);
        Assert.Equal($"School 1 {new string('x', 16)}..    |    9,999", lines[5]);
        Assert.Equal("School 2 '                     |    9,998", lines[6]);
        Assert.Equal("+2 more                        |   19,987", lines[10]);
        Assert.Equal("No usage data", lines[^1]);
    }

    [Fact]
    public async Task A_day_is_kept_as_a_table_of_calls_and_a_list_of_conversations()
    {
        await using var site = await StartAsync(new() { ["Learning:Notifications:KeepTraces"] = "true" });
        await site.RunAsync(Said);
        await site.RunAsync("""
            insert into gateway.usage (id, at, organization_id, key_id, request_id, surface, provider, model, outcome, error, status,
              is_stream, is_estimated,
              attempts, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost, latency_ms)
            values ('01980000-0000-7000-8000-0000000000aa', '2026-11-20 08:00+00', '01980000-0000-7000-8000-000000000001',
              '00000000-0000-0000-0000-000000000000', 'r-1', 'learning.tutor', 'openai', 'gpt-4.1', 0, '', 200, true, false, 1, 10, 0,
                0, 5, 0, 0.5, 2000)
            """);

        // Twice: a day is kept once, however often its job runs.
        for (var run = 0; run < 2; run++)
        {
            await site.Host.Services.GetRequiredService<JobQueue>().EnqueueAsync(new SaveTraces(new DateOnly(2026, 11, 20)), null, Ct);
            await site.Host.RunJobsAsync();
        }
        await site.Host.Services.GetRequiredService<JobQueue>().EnqueueAsync(new SaveTraces(new DateOnly(2026, 11, 21)), null, Ct);
        await site.Host.RunJobsAsync();

        var storage = site.Host.Services.GetRequiredService<IStorage>();
        var table = await ReadAsync(storage, "phoenix/spans/2026-11-20.csv");
        var list = JsonNode.Parse(await ReadAsync(storage, "evals/conversations.json"))!.AsArray();
        var before = JsonNode.Parse(await ReadAsync(storage, "evals/conversations_backup.json"))!.AsArray();
        Assert.Equal(2, table.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains(",r-1,response,LLM,2026-11-20T07:59:58", table, StringComparison.Ordinal);
        // The zone's day: 20:00 in UTC of the day before belongs to it.
        Assert.Equal(
            ["quiz_2_1_4_2026-11-20", "assignment_3_5_2026-11-20", "quiz_2_1_4_2026-11-21"], list.Select(entry => (string)entry!["id"]!));
        Assert.Equal(2, before.Count);
        Assert.Equal("""[{"role":"user","content":"forty-one"},{"role":"assistant","content":"look again"}]""",
            list[0]!["messages"]!.ToJsonString());
        Assert.Equal((4, "practice", "ai_chat"),
            ((int)list[0]!["metadata"]!["user_id"]!, (string?)list[0]!["metadata"]!["question_purpose"], (string?)list[0]!["span_name"]));
        Assert.DoesNotContain("@ex.org", list.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outside_Production_no_day_is_kept_unless_it_is_set()
    {
        await using var site = await StartAsync();
        await site.RunAsync(Said);

        await site.Host.Services.GetRequiredService<JobQueue>().EnqueueAsync(new SaveTraces(new DateOnly(2026, 11, 20)), null, Ct);
        await site.Host.RunJobsAsync();

        Assert.Null(await site.Host.Services.GetRequiredService<IStorage>().OpenAsync("evals/conversations.json", Ct));
    }

    [Theory]
    [InlineData("Learning:Notifications:UsageAt:Cron", "nine o'clock", "must be five fields of cron")]
    [InlineData("Learning:Notifications:TracesAt:Zone", "India", "must be an IANA time zone")]
    public async Task A_wrong_time_stops_the_start(string setting, string value, string rule)
    {
        var error = await Assert.ThrowsAnyAsync<Exception>(() => HostUnderTest.StartAsync(new() { [setting] = value }));

        Assert.Contains(rule, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_person_takes_what_is_about_him_along_and_leaves_nothing_of_it()
    {
        await using var site = await StartAsync(new() { ["Learning:Notifications:KeepTraces"] = "true" });
        var person = Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
        await site.RunAsync($"""
            insert into platform.people (id, name, email, email_key, locale, time_zone, state, created_at)
              values ('{person}', 'Dan', 'learner@ex.org', 'learner@ex.org', 'en', 'UTC', 'active', now());
            update learning.users set person_id = '{person}' where id = 4;
            """);
        await site.RunAsync(Said);
        await site.StatusAsync("POST", "/code/", Pupil,
            new { user_id = Pupil, question_id = Question, code = new[] { new { language = "python", value = "my code" } } });
        await site.StatusAsync(
            "POST", "/integrations/", Pupil, new { user_id = Pupil, integration_type = "notion", access_token = "my token" });
        var (_, file) =
            await site.AskAsync("POST", "/file/upload-local", Pupil, content: Files.FilesTests.Form("audio/wav", "my voice"u8.ToArray()));
        await site.Host.Services.GetRequiredService<JobQueue>().EnqueueAsync(new SaveTraces(new DateOnly(2026, 11, 20)), null, Ct);
        await site.Host.RunJobsAsync();

        var export = await ExportAsync(site, person);
        await EraseAsync(site, person);
        await EraseAsync(site, person);

        Assert.Equal("my voice", export[$"learning/files/{(string)file!["file_key"]!}"]);
        Assert.Equal("learner@ex.org", (string?)JsonNode.Parse(export["learning/users.json"])![0]!["email"]);
        Assert.Equal(3, JsonNode.Parse(export["learning/conversations.json"])!.AsArray().Count);
        Assert.Contains("my code", export["learning/code.json"], StringComparison.Ordinal);
        var all = string.Concat(export.Values);
        Assert.DoesNotContain("token", all, StringComparison.Ordinal);
        Assert.DoesNotContain("my work", all, StringComparison.Ordinal);
        Assert.Equal(
            ("erased-4", 0L, 0L, 0L, 0L),
            (await site.ReadAsync<string>(
                "select email from learning.users where id = 4 and deleted_at is not null and first_name is null"),
                await site.ReadAsync<long>("select count(*) from learning.chat_history where user_id = 4 and content is not null"),
                await site.ReadAsync<long>("select count(*) from learning.code_drafts where user_id = 4"),
                await site.ReadAsync<long>("select count(*) from learning.integrations where user_id = 4"),
                await site.ReadAsync<long>("select count(*) from learning.files where user_id = 4")));
        Assert.Equal(1L, await site.ReadAsync<long>("select count(*) from learning.chat_history where content = 'my work'"));
        var storage = site.Host.Services.GetRequiredService<IStorage>();
        Assert.Null(await storage.OpenAsync($"media/{(string)file["file_key"]!}", Ct));
        Assert.Equal([5], JsonNode.Parse(await ReadAsync(storage, "evals/conversations.json"))!.AsArray().Select(
            entry => (int)entry!["metadata"]!["user_id"]!));
        Assert.Equal(401, await site.StatusAsync("GET", "/hva/org_id", Pupil));
    }

    [Fact]
    public async Task A_school_whose_only_owner_is_erased_goes_to_its_longest_admin()
    {
        await using var site = await StartAsync();
        var person = Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
        await site.RunAsync($"""
            insert into platform.people (id, name, locale, time_zone, state, created_at)
              values ('{person}', 'Ada', 'en', 'UTC', 'active', now());
            update learning.users set person_id = '{person}' where id = 1;
            """);

        await EraseAsync(site, person);

        Assert.Equal(
            "owner", await site.ReadAsync<string>("select role from learning.user_organizations where user_id = 2 and org_id = 1"));
        Assert.Equal(
            1L, await site.ReadAsync<long>("select count(*) from learning.user_organizations where org_id = 1 and deleted_at is null"));
    }

    private static Task<bool> TellAsync(ServicesSite site, TellSlack news) => site.WithAsync<LearningDb, bool>(async db =>
    {
        await site.Host.Services.GetRequiredService<SchoolNews>().TellAsync(db, [news], Ct);
        return true;
    });

    private static async Task<Dictionary<string, string>> ExportAsync(ServicesSite site, Guid person)
    {
        using var bytes = new MemoryStream();
        await using (var zip = new System.IO.Compression.ZipArchive(bytes, System.IO.Compression.ZipArchiveMode.Create, leaveOpen: true))
        {
            await using var scope = site.Host.Services.CreateAsyncScope();
            await scope.ServiceProvider.GetServices<Stoa.Platform.Privacy.IPersonalData>()
                .OfType<LearningData>().Single().ExportAsync(person, new(zip, "learning"), Ct);
        }
        await using var read = new System.IO.Compression.ZipArchive(bytes);
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in read.Entries)
        {
            using var reader = new StreamReader(await entry.OpenAsync(Ct));
            files[entry.FullName] = await reader.ReadToEndAsync(Ct);
        }
        return files;
    }

    private static async Task EraseAsync(ServicesSite site, Guid person)
    {
        await using var scope = site.Host.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetServices<Stoa.Platform.Privacy.IPersonalData>()
            .OfType<LearningData>().Single().EraseAsync(person, Ct);
    }

    private static async Task<string> ReadAsync(IStorage storage, string name)
    {
        await using var stream = (await storage.OpenAsync(name, Ct))!;
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Ct);
    }

    private static Task<LoopbackSite> SinkAsync(ConcurrentQueue<(string Channel, string Text)> told) =>
        LoopbackSite.StartAsync(async context =>
    {
        using var reader = new StreamReader(context.Request.Body);
        told.Enqueue(($"{context.Request.Path}"[1..], (string)JsonNode.Parse(await reader.ReadToEndAsync(Ct))!["text"]!));
    });
}
