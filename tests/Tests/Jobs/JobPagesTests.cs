using System.Net;
using Stoa.Tests.Support;

namespace Stoa.Tests.Jobs;

public sealed class JobPagesTests(OuterSite site) : IClassFixture<OuterSite>
{
    private const string Path = "/console/jobs";

    [Fact]
    public async Task A_visitor_is_asked_to_sign_in_and_comes_back()
    {
        using var browser = new Browser(site.Address);

        var page = await browser.GetAsync(Path);

        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.Contains("/signin?return=%2Fconsole%2Fjobs", page.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("test.step", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_host_sees_queues_schedules_and_jobs()
    {
        await site.LaterAsync(null);
        using var browser = await BrowserAsync("stoa-dev");

        var page = await browser.GetAsync(Path);

        Assert.Contains("0 3 1 1 * (Europe/Berlin)", page.Text, StringComparison.Ordinal);
        Assert.Contains("Queues", page.Text, StringComparison.Ordinal);
        Assert.Contains("Queued", page.Text, StringComparison.Ordinal);
        Assert.Contains("Run now", page.Text, StringComparison.Ordinal);
        Assert.Matches(@"\d+ idle queues", page.Text);
        Assert.Matches(@"\d+ schedules", page.Text);
    }

    [Fact]
    public async Task Others_see_their_jobs_and_nothing_of_the_host()
    {
        var mine = await site.LaterAsync(site.OtherUser);
        var system = await site.LaterAsync(null);
        using var browser = await BrowserAsync(site.OtherUser.Token);

        var page = await browser.GetAsync(Path);

        Assert.Contains(mine.ToString(), page.Html, StringComparison.Ordinal);
        Assert.DoesNotContain(system.ToString(), page.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("Queues", page.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync($"{Path}/{system}")).Status);
    }

    [Fact]
    public async Task Filters_narrow_the_list_and_wrong_ones_are_told()
    {
        var dead = await site.DeadAsync(name: "filtered");
        using var browser = await BrowserAsync("stoa-dev");

        var found = await browser.GetAsync($"{Path}?state=dead&kind=test.step&text=filtered");
        var none = await browser.GetAsync($"{Path}?kind=nothing");
        var wrong = await browser.GetAsync($"{Path}?state=lost");

        Assert.Contains(dead.ToString(), found.Html, StringComparison.Ordinal);
        Assert.Contains("No job fits", none.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, wrong.Status);
        Assert.Contains("state must be among", wrong.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_is_cancelled_by_its_button()
    {
        var id = await site.LaterAsync(site.User);
        using var browser = await BrowserAsync(site.User.Token);
        var page = await browser.GetAsync($"{Path}/{id}");
        Assert.DoesNotContain("Run now", page.Text, StringComparison.Ordinal);

        var sent = await browser.SendAsync($"{Path}/{id}/cancel");

        Assert.Equal((HttpStatusCode.Redirect, $"{Path}/{id}"), (sent.Status, sent.Location));
        Assert.Contains("Cancelled", (await browser.GetAsync($"{Path}/{id}")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dead_job_is_replayed_with_edited_arguments_by_its_form()
    {
        var id = await site.DeadAsync(name: "formed");
        using var browser = await BrowserAsync("stoa-dev");
        var page = await browser.GetAsync($"{Path}/{id}");
        Assert.Contains("It cannot be", page.Text, StringComparison.Ordinal);

        var wrong = await browser.SendAsync($"{Path}/{id}/replay", ("arguments", "{"));
        var sent = await browser.SendAsync($"{Path}/{id}/replay", ("arguments", "{\"name\": \"by hand\"}"));

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.Redirect), (wrong.Status, sent.Status));
        Assert.Contains("by hand", (await browser.GetAsync(sent.Location!)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/kinds/test.step/pause")]
    [InlineData("/schedules/test.yearly/run")]
    public async Task Forged_forms_and_those_of_others_change_nothing(string act)
    {
        using var admin = await BrowserAsync("stoa-dev");
        using var other = await BrowserAsync(site.OtherAdmin.Token);

        var forged = await admin.SendFromAsync("https://evil.example", $"{Path}{act}");
        var foreign = await other.SendAsync($"{Path}{act}");

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (forged.Status, foreign.Status));
    }

    [Fact]
    public async Task A_queue_is_paused_and_resumed_by_its_button()
    {
        using var browser = await BrowserAsync("stoa-dev");

        var paused = await browser.SendAsync($"{Path}/kinds/test.narrow/pause");
        var between = await browser.GetAsync(Path);
        await browser.SendAsync($"{Path}/kinds/test.narrow/resume");

        Assert.Equal(HttpStatusCode.Redirect, paused.Status);
        Assert.Contains("Resume test.narrow", between.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("Resume test.narrow", (await browser.GetAsync(Path)).Html, StringComparison.Ordinal);
    }

    private async Task<Browser> BrowserAsync(string token)
    {
        var browser = new Browser(site.Address);
        Assert.Equal(HttpStatusCode.Redirect, (await browser.SignInAsync(token)).Status);
        return browser;
    }
}
