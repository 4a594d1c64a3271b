using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Assistants.Documents.Updates;
using Stoa.Platform.Jobs;

namespace Stoa.Tests.Assistants.Documents;

public sealed class WebsiteTests(DocumentsSite site) : IClassFixture<DocumentsSite>
{
    private static readonly string LongText = string.Concat(Enumerable.Range(1, 60)
        .Select(number => $"<p>Paragraph {number} tells that widget {number} weighs {number * 7} grams and is blue.</p>"));

    private AssistantsSite Assistants => site.Assistants;

    [Fact]
    public async Task A_website_is_read_to_its_depth_and_each_page_once()
    {
        await using var web = await FakeWebsite.StartAsync();
        var user = await Assistants.UserAsync();
        web.Page("/",
            "<title>Home</title><p>Welcome to the site of the test.</p><a href='/one#part'>1</a><a href='/one?'>1</a><a href='//other.example/x'>x</a><a href='/logo.png'>p</a>");
        web.Page("/one", "<p>Page one has words of its own.</p><a href='/two'>2</a><a href='/moved'>m</a><a href='/copy'>c</a>");
        web.Page("/two", "<p>Page two has words of its own.</p><a href='/three'>3</a>");
        web.Page("/three", "<p>Page three is too far away to be read.</p>");
        web.Page("/moved", context => { context.Response.Redirect("/two"); return Task.CompletedTask; });
        web.Page("/copy", "<link rel=canonical href='/one'><p>Page one has words of its own.</p>");
        web.Page("/sitemap.xml",
            $"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>{web.Address}/hidden</loc></url></urlset>",
            "application/xml");
        web.Page("/hidden", "<p>Only the sitemap knows of this page.</p>");

        var job = await site.ReadAsync(user, $"{web.Address}/");

        Assert.Equal(("succeeded", null), job);
        Assert.Equal([web.Address, $"{web.Address}/hidden", $"{web.Address}/one", $"{web.Address}/two"], await site.NamesAsync(user));
        Assert.Equal("400 Website already exist in user's documents",
            await Assistants.StatusAsync(user.Token, HttpMethod.Put, "/resource", new() { ["website_url"] = web.Address }));
        Assert.Equal($"{web.Address}/hidden", (await site.SearchAsync(user, "Which page does the sitemap know?"))[0].Source);
    }

    [Fact]
    public async Task Read_again_only_what_has_changed_is_written_and_embedded()
    {
        await using var web = await FakeWebsite.StartAsync();
        var user = await Assistants.UserAsync();
        web.Page("/", $"<p>Welcome to the site of the test.</p><a href='/a'>a</a><a href='/b'>b</a><a href='/c'>c</a>{LongText}");
        web.Page("/a", $"<p>First words of a.</p>{LongText}");
        web.Page("/b", context =>
        {
            context.Response.Headers.ETag = "\"1\"";
            context.Response.StatusCode = context.Request.Headers.IfNoneMatch == "\"1\"" ? 304 : 200;
            context.Response.ContentType = "text/html";
            return context.Response.StatusCode == 304 ? Task.CompletedTask
                : context.Response.WriteAsync("<p>Words of page b stay as they are.</p>");
        });
        web.Page("/c", "<p>Words of page c are going to be gone.</p>");
        await site.ReadAsync(user, web.Address);
        var first = await StateAsync(user);

        await site.LaunchAsync(user, web.Address);
        Assert.Equal(first, await StateAsync(user));

        web.Page("/a", $"<p>Other words of a.</p>{LongText}");
        web.Remove("/c");
        await site.LaunchAsync(user, web.Address);
        var second = await StateAsync(user);

        Assert.Equal([web.Address, $"{web.Address}/a", $"{web.Address}/b"], await site.NamesAsync(user));
        Assert.DoesNotContain(second, chunk => chunk.Contains("/c ", StringComparison.Ordinal));
        var changed = second.Except(first, StringComparer.Ordinal).ToList();
        Assert.All(changed, chunk => Assert.Contains("/a ", chunk, StringComparison.Ordinal));
        // Behind the first one chunks end at the same sentences again; their vectors are the old ones.
        Assert.InRange(changed.Count, 1, 3);
        Assert.True(second.Count(chunk => chunk.Contains("/a ", StringComparison.Ordinal)) > 4);
    }

    [Fact]
    public async Task A_website_and_a_page_that_could_not_be_read_say_so_among_the_documents()
    {
        await using var web = await FakeWebsite.StartAsync();
        var user = await Assistants.UserAsync();
        web.Page("/", "<p>Welcome to the site of the test.</p><a href='/a'>a</a>");
        web.Page("/a", "<p>Words of page a stay where they are.</p>");
        Assert.Equal("succeeded", (await site.ReadAsync(user, web.Address)).State);
        Assert.Equal("dead", (await site.LaunchAsync(user, "http://169.254.169.254/latest/")).State);
        web.Page("/a", context => { context.Response.StatusCode = 403; return Task.CompletedTask; });
        var page = await Assistants.ValueAsync<int>("select id from assistants.documents where user_id = $1 and name like '%/a'", user.Id);
        await Assistants.OkAsync(user.Token, HttpMethod.Post, "/resource", new() { ["document_pk"] = page });
        await Assistants.Host.RunJobsAsync();

        var listed = await Assistants.OkAsync(user.Token, HttpMethod.Get, "/resource?learned_by_mojo=false");
        Assert.Equal(
            ["http://169.254.169.254/latest/ failed 0 The website cannot be read: url not allowed", $"{web.Address} read 2 "],
            listed["websites"]!.AsArray().Select(website => $"{website!["url"]} {website["state"]} {website["pages"]} {website["note"]}"));
        Assert.Equal(
            [null, "The page cannot be read: the website answers 403"],
            listed["documents"]!.AsArray().OrderBy(document => (string)document!["name"]!, StringComparer.Ordinal)
            .Select(document => (string?)document!["error"]));
        Assert.Null((await Assistants.OkAsync(user.Token, HttpMethod.Get, "/resource?learned_by_mojo=false&offset=1"))["websites"]);

        web.Page("/a", "<p>Words of page a are there again.</p>");
        await Assistants.OkAsync(user.Token, HttpMethod.Post, "/resource", new() { ["document_pk"] = page });
        await Assistants.Host.RunJobsAsync();
        listed = await Assistants.OkAsync(user.Token, HttpMethod.Get, "/resource?learned_by_mojo=false");
        Assert.All(listed["documents"]!.AsArray(), document => Assert.Null(document!["error"]));
    }

    [Fact]
    public async Task A_website_whose_reading_came_to_no_end_says_so_until_it_is_read_again()
    {
        await using var web = await FakeWebsite.StartAsync();
        var user = await Assistants.UserAsync();
        web.Page("/", "<p>Welcome to the site of the test.</p>");
        await site.ReadAsync(user, web.Address);
        // As if its host had died over it again and again.
        await Assistants.SqlAsync("update assistants.websites set is_running = true, finished_at = null where user_id = $1", user.Id);
        await Assistants.SqlAsync(
            "update platform.finished_jobs set state = 'dead' where kind = 'assistants.read_website' and tenant = $1", user.Id);

        await Assistants.RunScheduleAsync("assistants.report_failed_work");
        Assert.Equal("failed Reading it came to no end", await StateAsync());
        await site.LaunchAsync(user, web.Address);
        await Assistants.RunScheduleAsync("assistants.report_failed_work");
        Assert.Equal("read ", await StateAsync());

        async Task<string> StateAsync()
        {
            var listed = await Assistants.OkAsync(user.Token, HttpMethod.Get, "/resource?learned_by_mojo=false");
            var website = Assert.Single(listed["websites"]!.AsArray())!;
            return $"{website["state"]} {website["note"]}";
        }
    }

    [Fact]
    public async Task What_the_user_has_deleted_does_not_come_back_until_he_asks_for_it()
    {
        await using var web = await FakeWebsite.StartAsync();
        var user = await Assistants.UserAsync();
        web.Page("/", "<p>Welcome to the site of the test.</p><a href='/a'>a</a>");
        web.Page("/a", "<p>Words of page a are not wanted.</p>");
        await site.ReadAsync(user, web.Address);
        var page = await Assistants.ValueAsync<int>("select id from assistants.documents where user_id = $1 and name like '%/a'", user.Id);

        Assert.Equal(
            $"{page}", (string?)(await Assistants.OkAsync(user.Token, HttpMethod.Delete, $"/resource?document_pk={page}"))["document_pk"]);
        await site.LaunchAsync(user, web.Address);

        Assert.Equal([web.Address], await site.NamesAsync(user));
        Assert.DoesNotContain(await site.SearchAsync(user, "not wanted"), found => found.Source.EndsWith("/a", StringComparison.Ordinal));
        await site.ReadAsync(user, $"{web.Address}/a");
        Assert.Equal([web.Address, $"{web.Address}/a"], await site.NamesAsync(user));
    }

    [Fact]
    public async Task A_page_is_fetched_again_alone_and_stays_as_it_was_when_it_cannot_be()
    {
        await using var web = await FakeWebsite.StartAsync();
        var user = await Assistants.UserAsync();
        web.Page("/", "<p>The old words of this page.</p><a href='/a'>a</a>");
        await site.ReadAsync(user, web.Address);
        var id = await Assistants.ValueAsync<int>("select id from assistants.documents where user_id = $1", user.Id);

        web.Page("/", "<p>The new words of this page.</p>");
        await Assistants.OkAsync(
            user.Token, HttpMethod.Post, "/resource", new() { ["document_pk"] = id, ["edition"] = "is not looked at" });
        await Assistants.Host.RunJobsAsync();
        Assert.Equal("The new words of this page.", await site.TextAsync(user, ""));

        web.Page("/", context => { context.Response.StatusCode = 403; return Task.CompletedTask; });
        await Assistants.OkAsync(
            null, HttpMethod.Post, "/background/update_document", new() { ["document_pk"] = id, ["user_id"] = user.Id });
        await Assistants.Host.RunJobsAsync();
        Assert.Equal("The new words of this page.", await site.TextAsync(user, ""));
    }

    [Fact]
    public async Task Vectors_of_another_model_are_made_anew_and_websites_are_refreshed_when_their_time_has_come()
    {
        await using var web = await FakeWebsite.StartAsync();
        var user = await Assistants.UserAsync();
        web.Page("/", $"{LongText}");
        await site.ReadAsync(user, web.Address);
        await Assistants.SqlAsync(
            "update assistants.document_chunks set embedding_model = 'old/model', embedding = '\\x00000000', signature = '0' where user_id = $1", user.Id);
        await Assistants.SqlAsync("update assistants.websites set next_refresh_at = now() where user_id = $1", user.Id);
        web.Page("/", "<p>All of it is new and quite different.</p>");

        await Assistants.Host.Services.GetRequiredService<JobQueue>()
            .EnqueueAsync(new TidyDocuments(), null, TestContext.Current.CancellationToken);
        await Assistants.Host.RunJobsAsync();

        Assert.Equal("All of it is new and quite different.", await site.TextAsync(user, ""));
        Assert.Equal("demo/demo", await Assistants.ValueAsync<string>(
            "select string_agg(distinct embedding_model, ' ') from assistants.document_chunks where user_id = $1 and deleted_at is null",
            user.Id));
    }

    [Fact]
    public async Task A_run_that_was_interrupted_goes_on_with_the_pages_that_wait()
    {
        await using var web = await FakeWebsite.StartAsync();
        var user = await Assistants.UserAsync();
        web.Page("/",
            $"<p>Welcome to the site of the test.</p>{string.Concat(Enumerable.Range(1, 20).Select(page => $"<a href='/p{page}'>x</a>"))}");
        for (var page = 1; page <= 20; page++)
        {
            web.Page($"/p{page}", $"<p>Page number {page} has words of its own.</p>");
        }
        await site.ReadAsync(user, web.Address);
        var whole = await StateAsync(user);
        // As it stands when the worker dies after the fifth page.
        await Assistants.SqlAsync("""
            delete from assistants.documents d using assistants.website_pages p
              where p.document_id = d.id and d.user_id = $1 and p.depth = 1
              and p.id in (select id from assistants.website_pages where website_id = p.website_id order by id desc limit 16)
            """, user.Id);
        await Assistants.SqlAsync(
            "update assistants.website_pages p set state = 'waiting' from assistants.websites w where w.id = p.website_id and w.user_id = $1 and p.document_id is null", user.Id);
        await Assistants.SqlAsync("update assistants.websites set is_running = true where user_id = $1", user.Id);
        var asked = web.Asked.Count;

        await site.LaunchAsync(user, web.Address);

        Assert.Equal(whole.Select(WithoutRow), (await StateAsync(user)).Select(WithoutRow));
        Assert.Equal(16, web.Asked.Count - asked);

        static string WithoutRow(string chunk) => chunk[..chunk.LastIndexOf(' ')];
    }

    /// <summary>Each chunk with its document, and when its vector was made.</summary>
    private async Task<List<string>> StateAsync(Assisted user) =>
    [
        .. (await Assistants.ValueAsync<string[]>("""
            select array_agg(d.name || ' ' || c.index || ' ' || encode(c.content_hash, 'hex') || ' ' || extract(epoch
              from c.embedded_at)::text order by d.name, c.index)
            from assistants.document_chunks c join assistants.documents d on d.id = c.document_id
            where c.user_id = $1 and c.deleted_at is null and d.deleted_at is null
            """, user.Id)),
    ];
}
