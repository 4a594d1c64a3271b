using System.Text;
using System.Text.Json.Nodes;

namespace Stoa.Tests.Learning.Tutor;

/// <summary>Conversations are stored as clients send them, so they may name what is somebody else's.</summary>
public sealed class ForeignFileTests
{
    [Theory]
    [InlineData("application/zip", "file")]
    [InlineData("audio/wav", "audio")]
    public async Task What_another_has_brought_in_is_read_for_nobody_else(string contentType, string responseType)
    {
        await using var site = await TutorSite.StartAsync("own");
        var school = site.School;
        var foreign = await site.UploadAsync(school.Other, contentType, SubmissionTests.Zip(("a.py", "secret"u8.ToArray())));
        await StoreAsync(site, foreign, responseType);
        var asked = site.Provider.Requests.Count;

        Assert.Equal("404 File not found",
            await site.RefusalAsync(school.Learner, Body(school, school.Learner, "And now?", "text"), "/ai/assignment"));
        Assert.Equal("404 File not found",
            await site.RefusalAsync(school.Owner, Body(school, school.Owner, foreign, responseType), "/ai/assignment"));
        Assert.Equal(asked, site.Provider.Requests.Count);
    }

    [Fact]
    public async Task Only_the_latest_recordings_of_a_conversation_are_played()
    {
        await using var site = await TutorSite.StartAsync("own");
        var school = site.School;
        var own = await site.UploadAsync(school.Learner, "audio/wav", Encoding.ASCII.GetBytes("RIFF----WAVE"));
        for (var count = 0; count < 6; count++)
        {
            await StoreAsync(site, own, "audio");
        }

        await site.AskAsync(school.Learner, Body(school, school.Learner, "And now?", "text"), "/ai/assignment");

        var seen = site.Provider.Requests.Select(request => request.Json!.ToJsonString())
            .Last(text => text.Contains("And now?", StringComparison.Ordinal));
        Assert.Equal((4, 2), (seen.Split("\"input_audio\":").Length - 1, seen.Split("(an earlier answer, spoken)").Length - 1));
    }

    private static JsonObject Body(School school, Learner learner, string response, string type) => new()
    {
        ["task_type"] = "assignment", ["user_id"] = learner.Id,
        ["task_id"] = school.Assignment, ["user_response"] = response, ["response_type"] = type,
    };

    private static Task<JsonNode> StoreAsync(TutorSite site, string content, string type) =>
        site.Site.PostAsync(site.School.Learner, "/chat/", new JsonObject
    {
        ["user_id"] = site.School.Learner.Id, ["task_id"] = site.School.Assignment, ["is_complete"] = false, ["messages"] = new JsonArray(
            new JsonObject { ["role"] = "user", ["content"] = content, ["response_type"] = type, ["created_at"] = "2026-11-20T09:41:10Z" }),
    });
}
