using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Stoa.Tests.Learning.Tutor;
using Stoa.Tests.Support;

namespace Stoa.Tests.Learning.Generation;

/// <summary>A course is made whole although its host is killed while modules come, and again while contents come.</summary>
public sealed class GenerationCrashTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const int Tasks = 6;

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    private LoopbackIssuer issuer = null!;
    private ScriptedProvider provider = null!;
    private HostProcess host = null!;
    private HttpClient client = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        issuer = await LoopbackIssuer.StartAsync("key");
        provider = await ScriptedProvider.StartAsync();
        host = await HostProcess.StartAsync(
            new Dictionary<string, string?>(HostProcess.ProviderSettings("openai", "openai", provider), StringComparer.Ordinal)
        {
            ["ConnectionStrings__Stoa"] = database.ConnectionString,
            ["Jobs__LeaseSeconds"] = "30", ["Google__ClientId"] = "us", ["Google__CertificatesUrl"] = issuer.Certificates.AbsoluteUri,
            ["NextAuth__Secrets__0"] = "the secret of a front end that crashes",
            ["Learning__Models__Reasoning"] = $"openai/{TutorSite.Text}",
        });
        client = host.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        client?.Dispose();
        if (host is not null)
        {
            await host.DisposeAsync();
        }
        await provider.DisposeAsync();
        await issuer.DisposeAsync();
    }

    [Fact]
    public async Task Each_module_and_each_task_is_made_once_although_the_host_is_killed_twice()
    {
        var course = await CourseAsync();
        provider.EnqueueFor(TutorSite.Text, GenerationTests.Structure("First", "Second", "Third").Hold(after: 70));
        var job = (string)(await PostAsync(
            $"/ai/generate/course/{course}/structure", GenerationTests.Request(await UploadAsync())))["job_uuid"]!;
        await UntilAsync(course, tree => tree["milestones"]!.AsArray().Count > 0);

        await host.KillAsync();
        provider.EnqueueFor(TutorSite.Text, GenerationTests.Structure("First", "Second", "Third"));
        await host.StartAgainAsync();
        await UntilAsync(course, tree => (string?)tree["course_generation_status"] == "pending");

        provider.EnqueueFor(
            TutorSite.Text,
            [GenerationTests.Contents(), GenerationTests.Contents(), .. Enumerable.Repeat(GenerationTests.Contents().Hold(), Tasks - 2)]);
        await PostAsync($"/ai/generate/course/{course}/tasks", new JsonObject { ["job_uuid"] = job });
        await UntilAsync(course, tree => TasksOf(tree).Count(task => (string?)task["status"] == "published") == 2);
        // All others are under way by then.
        await Patience.UntilAsync(() => provider.Requests.Count(request => request.Json is not null) == 2 + Tasks);
        await host.KillAsync();
        provider.EnqueueFor(TutorSite.Text, [.. Enumerable.Repeat(GenerationTests.Contents(), Tasks - 2)]);
        await host.StartAgainAsync();
        var made = await UntilAsync(course, tree => (string?)tree["course_generation_status"] == "completed");

        Assert.Equal(["First", "Second", "Third"], made["milestones"]!.AsArray().Select(module => (string)module!["name"]!));
        Assert.Equal(
            Enumerable.Repeat<string[]>(["material published", "quiz published"], 3).SelectMany(module => module),
            TasksOf(made).Select(task => $"{task["title"]} {task["status"]}"));
        Assert.All(TasksOf(made).Where(task => (string?)task["type"] == "quiz"), quiz => Assert.Equal(3, (int)quiz["num_questions"]!));
        // Two structures; each content once, and those once more that were under way.
        Assert.Equal(2 + Tasks + (Tasks - 2), provider.Requests.Count(request => request.Json is not null));
    }

    private static IEnumerable<JsonNode> TasksOf(JsonNode tree) =>
        tree["milestones"]!.AsArray().SelectMany(module => module!["tasks"]!.AsArray()!)!;

    private async Task<int> CourseAsync()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var token = issuer.Sign(
            new()
            {
                ["iss"] = "https://accounts.google.com", ["aud"] = "us", ["sub"] = "1",
                ["email"] = "owner@crash.org", ["email_verified"] = true,
                ["iat"] = now, ["exp"] = now + 600,
            },
            "key");
        var owner = await PostAsync(
            "/auth/login", new JsonObject { ["email"] = "owner@crash.org", ["given_name"] = "Ada", ["id_token"] = token });
        client.DefaultRequestHeaders.Authorization = new("Bearer", (string)owner["access_token"]!);
        var school =
            await PostAsync("/organizations/", new JsonObject { ["name"] = "Crash", ["slug"] = "crash", ["user_id"] = (int)owner["id"]! });
        return (int)(await PostAsync("/courses/", new JsonObject { ["name"] = "Generated", ["org_id"] = (int)school["id"]! }))["id"]!;
    }

    private async Task<string> UploadAsync()
    {
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent("%PDF-1.4 the reference"u8.ToArray()), "file", "reference.pdf" },
            { new StringContent("application/pdf"), "content_type" },
        };
        using var answer = await client.PostAsync(new Uri("/learning/file/upload-local", UriKind.Relative), form, Ct);
        return (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!["file_key"]!;
    }

    private async Task<JsonNode> PostAsync(string path, JsonNode body)
    {
        using var answer = await client.PostAsJsonAsync($"/learning{path}", body, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {text}");
        return JsonNode.Parse(text)!;
    }

    private async Task<JsonNode> UntilAsync(int course, Func<JsonNode, bool> holds)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var tree = JsonNode.Parse(await client.GetStringAsync($"/learning/courses/{course}?only_published=false", Ct))!;
            if (holds(tree))
            {
                return tree;
            }
            Assert.True(
                TimeProvider.System.GetElapsedTime(started) < Patience.Long, $"It did not come to that: {tree.ToJsonString()}\n{host.Log}");
            await Task.Delay(Moment, TimeProvider.System, Ct);
        }
    }
}
