using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Learning.Tutor;

/// <summary>A school whose tutor asks a scripted provider.</summary>
internal sealed class TutorSite : IAsyncDisposable
{
    public const string Text = "gpt-4.1-2025-04-14";

    private TutorSite(LearningSite site, School school, ScriptedProvider provider) => (Site, School, Provider) = (site, school, provider);

    public LearningSite Site { get; }

    public School School { get; }

    public ScriptedProvider Provider { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<TutorSite> StartAsync(string name, params (string Key, string Value)[] settings)
    {
        var provider = await ScriptedProvider.StartAsync();
        var site = await LearningSite.StartAsync(
        [
            ("Gateway:Providers:openai:Kind", "openai"), ("Gateway:Providers:openai:BaseUrl", $"{provider.BaseAddress}v1"),
            ("Gateway:Providers:openai:ApiKey", provider.Key), ("Gateway:Retries", "0"),
            // One model for both, so nobody is asked which.
            ("Learning:Models:Reasoning", $"openai/{Text}"), ("Learning:Tutor:RequestsPerMinute", "0"), .. settings,
        ]);
        return new(site, await School.OpenAsync(site, name), provider);
    }

    public static ScriptedAnswer Objective(bool isCorrect, string feedback = "feedback text for you") => ScriptedAnswer.Json(new JsonObject
    {
        ["analysis"] = "analysis text for you", ["feedback"] = feedback, ["is_correct"] = isCorrect,
    });

    public JsonObject Question(Learner learner, string response, int? question = null) => new()
    {
        ["task_type"] = "quiz", ["user_id"] = $"{learner.Id}", ["user_email"] = learner.Email,
        ["task_id"] = School.Quiz, ["user_response"] = response,
        ["question_id"] = $"{question ?? School.Questions[0]}", ["response_type"] = "text",
    };

    /// <summary>What is answered: the status, and the lines that came before the end, or before the connection broke.</summary>
    public async Task<Answered> AskAsync(Learner learner, JsonObject body, string path = "/ai/chat")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/learning{path}")
        {
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", learner.Token);
        using var answer = await Site.Host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        var text = new StringBuilder();
        var isBroken = false;
        try
        {
            using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Ct));
            var buffer = new char[4_096];
            while (await reader.ReadAsync(buffer, Ct) is > 0 and var count)
            {
                text.Append(buffer, 0, count);
            }
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            isBroken = true;
        }
        return new((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType, text.ToString(), isBroken);
    }

    public async Task<string> RefusalAsync(Learner learner, JsonObject body, string path = "/ai/chat")
    {
        var answer = await AskAsync(learner, body, path);
        return $"{answer.Status} {(answer.Status == 200 ? "" : JsonNode.Parse(answer.Text)!["detail"])}".TrimEnd();
    }

    /// <summary>The id of an upload of this person.</summary>
    public async Task<string> UploadAsync(Learner learner, string contentType, byte[] content)
    {
        using var form = new MultipartFormDataContent();
        var file = new ByteArrayContent(content);
        file.Headers.ContentType = new(contentType);
        form.Add(file, "file", "upload");
        form.Add(new StringContent(contentType), "content_type");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/learning/file/upload-local") { Content = form };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", learner.Token);
        using var answer = await Site.Host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return (string)JsonNode.Parse(text)!["file_uuid"]!;
    }

    public async ValueTask DisposeAsync()
    {
        await Site.DisposeAsync();
        await Provider.DisposeAsync();
    }
}

/// <param name="IsBroken">The connection was cut before the answer's end.</param>
internal sealed record Answered(int Status, string? Type, string Text, bool IsBroken)
{
    public List<JsonNode> Lines => [.. Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];

    public JsonNode Last => Lines[^1];
}
