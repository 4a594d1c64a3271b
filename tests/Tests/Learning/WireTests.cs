using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Stoa.Tests.Learning;

/// <summary>What the original's framework says of requests that it cannot read.</summary>
public sealed class WireTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_cannot_be_read_is_told_in_pydantics_words_and_changes_nothing()
    {
        await using var site = await LearningSite.StartAsync();
        var ada = await site.SignInAsync("ada@x.org");

        var (status, answer) =
            await site.SendAsync(ada, HttpMethod.Post, "/organizations/", JsonNode.Parse("""{"name":7,"user_id":"x"}"""));
        Assert.Equal(422, status);
        Assert.Equal(
            """
            [{"type":"string_type","loc":["body","name"],"msg":"Input should be a valid string","input":7},{"type":"missing","loc":["body","slug"],"msg":"Field required","input":{"name":7,"user_id":"x"}},{"type":"int_parsing","loc":["body","user_id"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"x"}]
            """,
            answer!["detail"]!.ToJsonString());

        (status, answer) = await site.SendAsync(ada, HttpMethod.Get, "/courses/?org_id=x");
        Assert.Equal(422, status);
        Assert.Equal("""["query","org_id"]""", answer!["detail"]![0]!["loc"]!.ToJsonString());
        Assert.Equal("int_parsing", (string?)answer["detail"]![0]!["type"]);
        (status, answer) = await site.SendAsync(ada, HttpMethod.Get, "/courses/");
        Assert.Equal(422, status);
        Assert.Equal("missing", (string?)answer!["detail"]![0]!["type"]);
        (status, answer) = await site.SendAsync(ada, HttpMethod.Get, "/users/me");
        Assert.Equal(422, status);
        Assert.Equal("""["path","user_id"]""", answer!["detail"]![0]!["loc"]!.ToJsonString());
        (status, answer) = await site.SendAsync(
            ada, HttpMethod.Post, "/tasks/", JsonNode.Parse("""{"course_id":1,"milestone_id":1.5,"type":"essay","title":"t"}"""));
        Assert.Equal(422, status);
        Assert.Equal(["int_from_float", "enum"], answer!["detail"]!.AsArray().Select(error => (string?)error!["type"]));
        Assert.Equal("'quiz', 'learning_material' or 'assignment'", (string?)answer["detail"]![1]!["ctx"]!["expected"]);
    }

    [Fact]
    public async Task A_body_that_is_no_json_and_an_unknown_path_and_method_are_answered_as_FastAPI_does()
    {
        await using var site = await LearningSite.StartAsync();
        var ada = await site.SignInAsync("ada@x.org");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/learning/organizations/")
        {
            Content = new StringContent("{", Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new("Bearer", ada.Token);

        using var broken = await site.Host.Client.SendAsync(request, Ct);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, broken.StatusCode);
        Assert.Contains("\"json_invalid\"", await broken.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.Equal("404 Not Found", await site.StatusesAsync(ada, HttpMethod.Get, "/nothing/of/that"));
        Assert.Equal("405 Method Not Allowed", await site.StatusesAsync(ada, HttpMethod.Patch, "/courses/1"));
    }

    [Fact]
    public async Task Both_spellings_of_a_path_are_served()
    {
        await using var site = await LearningSite.StartAsync();
        var school = await School.OpenAsync(site, "own");

        Assert.Equal(
            (await site.GetAsync(school.Owner, $"/courses/?org_id={school.Org}")).ToJsonString(),
            (await site.GetAsync(school.Owner, $"/courses?org_id={school.Org}")).ToJsonString());
    }
}
