using Stoa.Assistants.Engines;
using Stoa.Host;
using Stoa.Host.Verbs;

namespace Stoa.Tests.Assistants.Engines;

public sealed class EngineSettingsTests : IDisposable
{
    private const string Models = """
        # primary
        [azure/gpt-4o]
        gpt4o_azure_openai_api_base = https://res.openai.azure.com/
        GPT4O_AZURE_OPENAI_API_VERSION: 2024-02-01
        GPT4O_AZURE_OPENAI_KEY = "the azure key"
        GPT4O_AZURE_OPENAI_DEPLOYMENT_ID = our-gpt4o

        [openai/gpt-4o]
        OPENAI_API_KEY=the openai key
        [openai/gpt-4o-mini]
        OPENAI_API_KEY=the openai key
        [ollama/llama3]
        OLLAMA_ENDPOINT=http://127.0.0.1:11434
        [mistral/mistral-large]
        MISTRAL_API_KEY=the mistral key
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("stoa-engines-").FullName;

    [Fact]
    public async Task The_first_engine_is_asked_then_the_second_and_the_host_takes_what_comes_out()
    {
        var settings = EngineSettings.Of(
            ("models.conf", Models), ("embedding_models.conf", "[openai/text-embedding-ada-002]\nOPENAI_API_KEY = the openai key"),
            ("stt_models.conf", "[openai/whisper-1]\nOPENAI_API_KEY = another key")).ToDictionary(setting => setting.Name,
            setting => setting.Value);

        Assert.Equal("azure-gpt-4o/our-gpt4o", settings["Gateway__Models__assistants__Targets__0__Model"]);
        Assert.Equal("openai/gpt-4o", settings["Gateway__Models__assistants__Targets__1__Model"]);
        Assert.DoesNotContain("Gateway__Models__assistants__Targets__2__Model", settings.Keys);
        Assert.Equal("assistants", settings["Assistants__Models__0"]);
        Assert.Equal("openai/text-embedding-ada-002", settings["Assistants__EmbeddingModel"]);
        Assert.Equal("openai-2/whisper-1", settings["Assistants__SpeechModel"]);
        Assert.Equal("https://res.openai.azure.com/openai/v1", settings["Gateway__Providers__azure-gpt-4o__BaseUrl"]);
        Assert.Equal("text-embedding-ada-002", settings["Gateway__Providers__openai__Models__2"]);
        Assert.Equal("another key", settings["Gateway__Providers__openai-2__ApiKey"]);
        Assert.Equal("http://127.0.0.1:11434/v1", settings["Gateway__Providers__ollama__BaseUrl"]);
        await using var app = await App.BuildAsync(
            ["--environment", "Development"],
            settings.Select(pair => KeyValuePair.Create(pair.Key.Replace("__", ":", StringComparison.Ordinal), (string?)pair.Value)));
    }

    [Theory]
    [InlineData("OPENAI_API_KEY=x", "models.conf:1: OPENAI_API_KEY stands before the first section")]
    [InlineData("[openai/gpt-4o]\n\nOPENAI_API_KEY", "models.conf:3: is neither a section nor key = value")]
    [InlineData("[openai/gpt-4o]\nx=y", "models.conf:1: [openai/gpt-4o] needs OPENAI_API_KEY")]
    [InlineData("[openai/gpt-4o]\nOPENAI_API_KEY=secret\nopenai_api_key=secret", "models.conf:3: openai_api_key is there twice")]
    [InlineData("\n[gpt-4o]", "models.conf:2: a section is [provider/model]")]
    [InlineData("[vertex/gemini]\nKEY=x", "models.conf:1: [vertex/gemini] is no engine that is known here")]
    [InlineData(
        "[ollama/llama3]\nOLLAMA_ENDPOINT=localhost", "models.conf:1: OLLAMA_ENDPOINT must be an address such as https://example.org")]
    [InlineData("", "models.conf:1: has no section [provider/model]")]
    public void What_is_wrong_is_named_by_line_and_key(string text, string problem) =>
        Assert.Equal(problem, Assert.Throws<FormatException>(() => EngineSettings.Of(("models.conf", text))).Message);

    [Fact]
    public async Task Keys_are_shown_to_nobody_and_written_to_a_file_of_the_operators_alone()
    {
        var (file, output) = (Path.Combine(folder, "models.conf"), Path.Combine(folder, "engines.env"));
        await File.WriteAllTextAsync(file, Models, TestContext.Current.CancellationToken);
        var (shown, complaints) = (new StringWriter(), new StringWriter());

        var code = await AssistantsVerb.Create((_, _) => Task.FromResult(0)).Parse(["import-engines", file, "--output", output])
            .InvokeAsync(new() { Output = shown, Error = complaints }, TestContext.Current.CancellationToken);
        var again = await AssistantsVerb.Create((_, _) => Task.FromResult(0)).Parse(["import-engines", file, "--output", output])
            .InvokeAsync(new() { Output = shown, Error = complaints }, TestContext.Current.CancellationToken);

        Assert.Equal((0, 1), (code, again));
        Assert.DoesNotContain("key\n", shown.ToString().ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("Gateway__Providers__openai__ApiKey=********", shown.ToString(), StringComparison.Ordinal);
        Assert.Contains("Gateway__Providers__openai__ApiKey=the openai key",
            await File.ReadAllTextAsync(output, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(output));
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
