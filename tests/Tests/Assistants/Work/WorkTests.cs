using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Stoa.Assistants.Privacy;
using Stoa.Platform.Identity;
using Stoa.Platform.Privacy;
using Stoa.Tests.Support;
using static System.Net.Http.HttpMethod;

namespace Stoa.Tests.Assistants.Work;

/// <summary>What users do, and what the assistant makes of it.</summary>
public sealed class WorkTests(WorkSite shared) : IClassFixture<WorkSite>
{
    private WorkSite work = shared;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private AssistantsSite Site => work.Site;

    [Fact]
    public async Task A_draft_becomes_a_version_and_what_is_said_next_the_second_one()
    {
        await using var own = await OwnAsync();
        var user = await work.RegisteredAsync("draft");
        var (id, session) = await work.BeginAsync(user);
        Answer("Here it is. <title>Plan</title><summary>A plan.</summary><draft>One 100% plan</draft>");
        await StoryTests.SayAsync(Site, user.Token, session, "one", "Write a plan");
        await Site.Host.RunJobsAsync();
        Answer("Shorter. <title>Plan B</title><summary>A plan.</summary><draft>Two</draft>");
        await StoryTests.SayAsync(Site, user.Token, session, "two", "Shorter");
        await Site.Host.RunJobsAsync();

        var view = await Site.OkAsync(user.Token, Get, $"/user_task_execution?user_task_execution_pk={id}");
        Assert.Equal(("Plan B", "Two", 2),
            ((string?)view["produced_text_title"], (string?)view["produced_text_production"], (int)view["produced_text_version_index"]!));
        Assert.Equal(("Plan B", "A plan."), ((string?)view["title"], (string?)view["summary"]));
        var first = await Site.OkAsync(
            user.Token, Get, $"/user_task_execution_produced_text?user_task_execution_pk={id}&produced_text_version_index=1");
        Assert.Equal(("Plan", "One 100% plan"), ((string?)first["produced_text_title"], (string?)first["produced_text_production"]));
        var messages =
            (await Site.OkAsync(user.Token, Get, $"/message?session_id={session}&offset_direction=newer"))["messages"]!.AsArray();
        Assert.Equal(["user", "mojo", "user", "mojo"], messages.Select(message => (string?)message!["sender"]));
        Assert.Equal("Shorter. <summary>A plan.</summary>", (string?)messages[3]!["message"]!["text"]);
        Assert.Equal((int)view["produced_text_version_pk"]!, (int)messages[3]!["message"]!["produced_text_version_pk"]!);

        var found = await Site.OkAsync(user.Token, Get, "/user_task_execution?search_filter=00%25%20pl");
        Assert.Equal(id, (int)Assert.Single(found["user_task_executions"]!.AsArray())!["user_task_execution_pk"]!);
        Assert.Empty((await Site.OkAsync(user.Token, Get, "/user_task_execution?search_filter=1_0"))["user_task_executions"]!.AsArray());
        var retrieved = await Site.OkAsync(AssistantsSite.Background, Get,
            $"/retrieve_produced_text?query=Two&n_max=5&max_distance=2&user_id={user.Id}&user_task_execution_pk=1&task_name_for_system=t");
        Assert.Equal("Two", (string?)Assert.Single(retrieved["retrieved_produced_texts"]!.AsArray())!["produced_text"]);

        Assert.Equal($$"""{"user_task_execution_pk":"{{id}}"}""",
            (await Site.OkAsync(user.Token, Delete, $"/user_task_execution?user_task_execution_pk={id}")).ToJsonString());
        Assert.True((bool)(await Site.OkAsync(user.Token, Get, $"/user_task_execution?user_task_execution_pk={id}"))["deleted_by_user"]!);
        Assert.Empty((await Site.OkAsync(user.Token, Get, "/user_task_execution"))["user_task_executions"]!.AsArray());
    }

    [Fact]
    public async Task No_job_holds_a_word_of_a_user()
    {
        await using var own = await OwnAsync();
        await Site.SqlAsync(
            "insert into platform.job_kinds (kind, paused_at) select unnest(array['assistants.name_session', 'assistants.daily_notification', 'assistants.calendar_suggestion_notification']), now() on conflict (kind) do update set paused_at = now()");
        work.Model.Answering = _ => ScriptedAnswer.Text("<title>Named</title>");
        var user = await work.RegisteredAsync("quiet");
        var session = (string)(await Site.OkAsync(user.Token, Put, "/session", new() { ["platform"] = "webapp" }))["session_id"]!;
        var other = (string)(await Site.OkAsync(user.Token, Put, "/session", new() { ["platform"] = "webapp" }))["session_id"]!;
        await StoryTests.SayAsync(Site, user.Token, session, "one", "My xylophone is broken");
        await Site.OkAsync(null, Post, "/background/first_session_message",
            new() { ["session_id"] = other, ["sender"] = "user", ["message"] = "The xylophone again" });
        foreach (var (type, item) in (IEnumerable<(string, JsonObject)>)[
            ("daily_notifications", new() { ["user_id"] = user.Id, ["new_todos_today"] = new JsonArray("Mend the xylophone") }),
            ("calendar_suggestion_notifications", new() { ["user_id"] = user.Id, ["suggestion_text"] = "Play the xylophone" })])
        {
            await Site.OkAsync(
                null, Post, "/background/events_generation", new() { ["event_type"] = type, ["data"] = new JsonArray(item) });
        }
        const string words =
            "select coalesce(sum(count), 0)::bigint from (select count(*) from platform.jobs where args::text ilike '%xylophone%' union all select count(*) from platform.finished_jobs where args::text ilike '%xylophone%') as held";
        Assert.Equal(4, await Site.ValueAsync<long>(
            "select count(*) from platform.jobs where tenant = $1 and (args ? 'given_id' or args ? 'session_id') and kind <> 'assistants.answer_messages'", user.Id));
        Assert.Equal(0, await Site.ValueAsync<long>(words));
        Assert.Equal(3, await Site.ValueAsync<long>("select count(*) from assistants.given where user_id = $1", user.Id));

        await Site.SqlAsync("update platform.job_kinds set paused_at = null");
        await Site.Host.RunJobsAsync();
        Assert.Contains(work.Model.Requests,
            request => Encoding.UTF8.GetString(request.Body.Span).Contains("The xylophone again", StringComparison.Ordinal));
        Assert.Equal("Named, Named",
            await Site.ValueAsync<string>("select string_agg(title, ', ') from assistants.sessions where user_id = $1", user.Id));
        await Site.SqlAsync("delete from assistants.users where id = $1", user.Id);
        Assert.Equal(0, await Site.ValueAsync<long>("select count(*) from assistants.given where user_id = $1", user.Id));
    }

    [Fact]
    public async Task The_same_message_sent_at_once_ten_times_is_one_and_is_answered_once()
    {
        await using var own = await OwnAsync();
        var user = await work.RegisteredAsync("hasty");
        var (_, session) = await work.BeginAsync(user);
        Answer("<title>a</title><summary>b</summary>");
        var sent = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => StoryTests.SayAsync(Site, user.Token, session, "same", "Hello")));
        await Site.Host.RunJobsAsync();

        Assert.Single(sent.Select(one => (int)one["message_pk"]!).Distinct());
        Assert.Equal("user False, mojo False", await work.StandsAsync(user, session));
    }

    [Fact]
    public async Task A_product_gives_access_to_its_tasks_for_as_long_and_as_often_as_it_says()
    {
        var user = await work.RegisteredAsync("buyer");
        await Site.SqlAsync("update assistants.purchases set is_active = false where user_id = $1", user.Id);
        var own = await Site.ValueAsync<int>("select min(id) from assistants.user_tasks where user_id = $1", user.Id);
        var body = new JsonObject { ["user_task_pk"] = own };
        Assert.Equal("402 no_purchase", await Site.StatusAsync(user.Token, Put, "/user_task_execution", body));

        await Site.SqlAsync("""
            with product as (insert into assistants.products (label, days_valid, tasks_limit) values ('three', 7, 3) returning id),
              covered as (insert into assistants.product_tasks select product.id, t.id from product, assistants.tasks t)
            insert into assistants.purchases (user_id, product_id, created_at) select $1, id, now() - interval '6 days' from product
            """, user.Id);
        var answers =
            await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Site.StatusAsync(user.Token, Put, "/user_task_execution", body)));
        Assert.Equal(3, answers.Count(answer => answer == "200 "));
        Assert.Equal(3, answers.Count(answer => answer == "402 no_purchase"));
        await Site.SqlAsync("""
            update assistants.purchases set created_at = now() - interval '8 days' where user_id = $1;
            """, user.Id);
        await Site.SqlAsync("update assistants.products set tasks_limit = null where label = 'three'");
        Assert.Equal("402 no_purchase", await Site.StatusAsync(user.Token, Put, "/user_task_execution", body));
    }

    [Fact]
    public async Task A_password_of_the_original_opens_and_is_written_anew_and_guesses_are_told_nothing()
    {
        var user = await Site.UserAsync("Old");
        var key = Rfc2898DeriveBytes.Pbkdf2("old secret", Encoding.UTF8.GetBytes("salt"), 1_000, HashAlgorithmName.SHA256, 32);
        await Site.SqlAsync(
            "update assistants.users set password = $2 where id = $1", user.Id, $"pbkdf2:sha256:1000$salt${Convert.ToHexStringLower(key)}");
        var login = new JsonObject { ["email"] = $"{user.Id}@EXAMPLE.org",
            ["login_method"] = "email_password", ["password"] = "old secret" };

        Assert.Equal("Old", (string?)(await Site.OkAsync(null, Post, "/user", login))["name"]);
        Assert.StartsWith("stoa1$", await Site.ValueAsync<string>("select password from assistants.users where id = $1", user.Id),
            StringComparison.Ordinal);
        Assert.Equal("Old", (string?)(await Site.OkAsync(null, Post, "/user", login))["name"]);
        login["password"] = "another";
        Assert.Equal("400 Wrong email or password.", await Site.StatusAsync(null, Post, "/user", login));
        login["email"] = "nobody@example.org";
        Assert.Equal("400 Wrong email or password.", await Site.StatusAsync(null, Post, "/user", login));
        Assert.Equal("400 Email already exists.", await Site.StatusAsync(null, Put, "/user", new()
        {
            ["email"] = $"{user.Id}@Example.org", ["name"] = "Evil", ["password"] = "long enough to be one",
        }));
        login["login_method"] = "apple";
        Assert.Equal("400 The login method apple is not configured", await Site.StatusAsync(null, Post, "/user", login));
        login["login_method"] = "google";
        login["google_token"] = "x.y.z";
        Assert.Equal("400 The login method google is not configured", await Site.StatusAsync(null, Post, "/user", login));
    }

    [Fact]
    public async Task A_company_is_described_from_its_home_page_and_corrected_by_who_knows_better()
    {
        await using var own = await OwnAsync();
        await using var page =
            await PageAsync("<html><head><title>Acme</title></head><body><main><p>We make anvils for coyotes.</p></main></body></html>");
        var user = await work.RegisteredAsync("employee");
        work.Model.Enqueue(ScriptedAnswer.Json(new JsonObject { ["name"] = "Acme", ["description"] = "Anvils", ["emoji"] = "⚒️" }));
        var company = await Site.OkAsync(user.Token, Put, "/company", new() { ["website_url"] = page.Urls.Single() });
        Assert.Equal(("Acme", "Anvils", "⚒️"),
            ((string?)company["company_name"], (string?)company["company_description"], (string?)company["company_emoji"]));
        Assert.Contains(work.Model.Requests,
            request => Encoding.UTF8.GetString(request.Body.Span).Contains("anvils for coyotes", StringComparison.Ordinal));
        Assert.Equal(1, await Site.ValueAsync<long>(
            "select count(*) from platform.jobs where kind = 'assistants.read_website' and tenant = $1", user.Id));

        Assert.Equal(
            "Anvils", (string?)(await Site.OkAsync(user.Token, Post, "/company", new() { ["correct"] = true }))["company_description"]);
        await Site.Host.RunJobsAsync();
        work.Model.Enqueue(ScriptedAnswer.Json(new JsonObject { ["description"] = "Anvils and rockets" }));
        var corrected = await Site.OkAsync(user.Token, Post, "/company", new() { ["feedback"] = "Rockets too" });
        Assert.Equal("Anvils and rockets", (string?)corrected["company_description"]);
        Assert.Equal((int)company["company_pk"]!, (int)corrected["company_pk"]!);

        work.Model.Enqueue(ScriptedAnswer.Json(new JsonObject { ["name"] = "Acme again", ["description"] = "Anvils", ["emoji"] = "⚒️" }));
        await Site.OkAsync(user.Token, Put, "/company", new() { ["website_url"] = page.Urls.Single() });
        Assert.Equal("Acme again", await Site.ValueAsync<string>("select string_agg(name, ', ') from assistants.companies"));
    }

    [Fact]
    public async Task A_workflow_takes_its_steps_one_after_another_and_locked_ones_are_begun_again()
    {
        await using var own = await OwnAsync();
        var user = await Site.UserAsync("Flow");
        var done = await Site.ExecutionAsync(user, [], task: "steps");
        await Site.SqlAsync("""
            with task as (update assistants.tasks set type = 'workflow' where name_for_system = 'steps' returning id),
              steps as (
                insert into assistants.workflow_steps (task_id, rank, name_for_system, definition_for_system)
                select id, rank, 'step ' || rank, 'do ' || rank from task, generate_series(1, 2) rank returning id, rank)
            insert into assistants.workflow_step_executions (task_execution_id, workflow_step_id, parameter, created_at)
            select $1, id, '"begin"', now() - interval '31 minutes' from steps where rank = 1
            """, done.Execution);
        work.Model.Enqueue(ScriptedAnswer.Text("<result>first</result>"), ScriptedAnswer.Text("<result>second</result>"));

        var relaunched = await Site.OkAsync(AssistantsSite.Scheduler, Post, "/relaunch_locked_workflow_step_executions");
        Assert.Single(relaunched["user_workflow_step_executions_pk"]!.AsArray());
        Assert.Empty((await Site.OkAsync(
            AssistantsSite.Scheduler, Post, "/relaunch_locked_workflow_step_executions"))["user_workflow_step_executions_pk"]!.AsArray());
        await Site.Host.RunJobsAsync();

        var view = await Site.OkAsync(user.Token, Get, $"/user_task_execution?user_task_execution_pk={done.Execution}");
        Assert.Equal(["step 1", "step 2"], view["steps"]!.AsArray().Select(step => (string?)step!["step_name_for_user"]));
        Assert.Equal([("begin", null), ("begin", "first"), ("first", "second")],
            view["step_executions"]!.AsArray().Select(run => ((string?)run!["parameter"], (string?)run["result"])));
        Assert.NotNull(view["step_executions"]![0]!["error_status"]);
        Assert.Equal("second", (string?)view["produced_text_production"]);
    }

    [Fact]
    public async Task A_person_is_handed_out_everything_and_nothing_of_him_is_left()
    {
        var user = await Site.UserAsync("Eve");
        var done = await Site.ExecutionAsync(user, ["my secret words", "yes"], "her text");
        await using var scope = Site.Host.Services.CreateAsyncScope();
        var person =
            (await scope.ServiceProvider.GetRequiredService<PersonStore>().CreateAsync(new("eve@example.org", "Eve"), "test", Ct)).Id;
        await Site.SqlAsync("update assistants.users set person_id = $2 where id = $1", user.Id, person);
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        var data = scope.ServiceProvider.GetServices<IPersonalData>().Single(one => one.Name == "assistants");
        using var bytes = new MemoryStream();
        await using (var zip = new System.IO.Compression.ZipArchive(bytes, System.IO.Compression.ZipArchiveMode.Create, leaveOpen: true))
        {
            await data.ExportAsync(person, new(zip, data.Name), Ct);
        }
        await using var read = new System.IO.Compression.ZipArchive(bytes);
        foreach (var entry in read.Entries)
        {
            using var reader = new StreamReader(await entry.OpenAsync(Ct));
            files[entry.FullName] = await reader.ReadToEndAsync(Ct);
        }
        Assert.Equal(21, files.Count);
        Assert.Contains("my secret words", files["assistants/messages.json"], StringComparison.Ordinal);
        Assert.Contains("her text", files["assistants/produced_texts.json"], StringComparison.Ordinal);
        Assert.DoesNotContain("password", files["assistants/users.json"], StringComparison.Ordinal);
        Assert.DoesNotContain(work.Ada.Id, string.Concat(files.Values), StringComparison.Ordinal);

        await data.EraseAsync(person, Ct);
        await data.EraseAsync(person, Ct);
        Assert.Equal(0, await Site.ValueAsync<long>("select count(*) from assistants.messages where session_id = $1", done.Session));
        Assert.Equal("403 Invalid token.", await Site.StatusAsync(user.Token, Put, "/session", new() { ["platform"] = "webapp" }));
        Assert.Equal("403 Invalid token.", await Site.StatusAsync(user.Token, Put, "/goal", new() { ["goal"] = "back" }));
    }

    [Fact]
    public async Task A_user_who_is_no_person_of_the_platform_is_erased_by_his_address()
    {
        var user = await work.RegisteredAsync("forgotten");
        var (_, session) = await work.BeginAsync(user);
        await StoryTests.SayAsync(Site, user.Token, session, "one", "My secret");
        await using var scope = Site.Host.Services.CreateAsyncScope();
        var erasure = scope.ServiceProvider.GetRequiredService<UserErasure>();

        Assert.True(await erasure.EraseAsync("FORGOTTEN@example.org", Ct));
        Assert.False(await erasure.EraseAsync(user.Id, Ct));
        await Site.Host.RunJobsAsync();
        Assert.Equal(0, await Site.ValueAsync<long>("select count(*) from assistants.messages where session_id = $1", session));
        Assert.Equal(0, await Site.ValueAsync<long>("select count(*) from assistants.live_events where user_id = $1", user.Id));
        Assert.Equal("403 Invalid token.", await Site.StatusAsync(user.Token, Put, "/goal", new() { ["goal"] = "back" }));
    }

    /// <summary>To whoever asks next: the answer, and the title that is made beside it.</summary>
    [Fact]
    public async Task An_answer_is_given_what_the_users_own_documents_say_and_where_it_stands()
    {
        await using var own = await OwnAsync();
        var (ada, bob) = (await work.RegisteredAsync("reader"), await work.RegisteredAsync("neighbour"));
        await Site.OkAsync(
            ada.Token, Put, "/resource", new() { ["name"] = "House rules", ["text"] = "The office opens at half past seven." });
        await Site.OkAsync(bob.Token, Put, "/resource", new() { ["name"] = "Secrets", ["text"] = "The office opens at midnight for Bob." });
        await Site.Host.RunJobsAsync();
        work.Model.Answering = request => ScriptedAnswer.Text(
            request.Json!.ToJsonString().Contains("Answer what he said last", StringComparison.Ordinal)
                ? "At half past seven [House rules]." : "<title>Hours</title><summary>You asked for them.</summary>");
        var (_, session) = await work.BeginAsync(ada);
        await StoryTests.SayAsync(Site, ada.Token, session, "when", "When does the office open?");
        await Site.Host.RunJobsAsync();

        var material = Assert.Single(
            work.Model.Requests.Where(request => request.Json!.ContainsKey("messages"))
                .Select(request => (string)request.Json!["messages"]!.AsArray()[^1]!["content"]!),
            text => text.Contains("<source>", StringComparison.Ordinal));
        Assert.Contains("<source>\nHouse rules\nThe office opens at half past seven.\n</source>", material, StringComparison.Ordinal);
        Assert.DoesNotContain("midnight", material, StringComparison.Ordinal);
        var messages = (await Site.OkAsync(ada.Token, Get, $"/message?session_id={session}"))["messages"]!.AsArray();
        Assert.Equal("At half past seven [House rules].", (string?)messages[^1]!["message"]!["text"]);
    }

    /// <summary>
    /// A host and a model of the test's own, instead of those that all share: a model that failed is left alone for a while.
    /// </summary>
    private async Task<WorkSite> OwnAsync()
    {
        var own = new WorkSite();
        await own.InitializeAsync();
        return work = own;
    }

    private void Answer(string text) => work.Model.Enqueue(ScriptedAnswer.Text(text), ScriptedAnswer.Text(text));

    private static async Task<WebApplication> PageAsync(string html)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var page = builder.Build();
        page.Urls.Add("http://127.0.0.1:0");
        page.MapGet("/", () => Results.Content(html, "text/html"));
        await page.StartAsync(Ct);
        return page;
    }
}
