namespace Stoa.Tests.Contracts;

public sealed class AiSdkOpenAiRun() : ClientRun("ai-openai.mjs", "openai", "anthropic");

public sealed class AiSdkAnthropicRun() : ClientRun("ai-anthropic.mjs", "anthropic", "openai");

/// <summary>The npm package <c>ai</c> with <c>@ai-sdk/openai</c> is content with every wire we speak to it.</summary>
public sealed class AiSdkOpenAiTests(AiSdkOpenAiRun run) : FrameworkClientTests(run), IClassFixture<AiSdkOpenAiRun>
{
    protected override string Stop => "stop";

    protected override string RateLimitName => "APICallError";

    [Theory, MemberData(nameof(Everywhere))]
    public void A_response_is_read_whole_and_streamed(string target)
    {
        var whole = Run.Result(target, "response");
        Assert.Equal("You said: What is a quay?", (string?)whole["text"]);
        AssertReported(Run.Upstream(target, "response").Single(), whole["usage"]!);
        var streamed = Run.Result(target, "response_stream");
        Assert.Equal(($"You said: {streamed["expected"]}", Stop), ((string?)streamed["text"], (string?)streamed["finish"]));
    }
}

/// <summary>The npm package <c>ai</c> with <c>@ai-sdk/anthropic</c> is content with every wire we speak to it.</summary>
public sealed class AiSdkAnthropicTests(AiSdkAnthropicRun run) : FrameworkClientTests(run), IClassFixture<AiSdkAnthropicRun>
{
    protected override string Stop => "stop";

    protected override string RateLimitName => "APICallError";
}
