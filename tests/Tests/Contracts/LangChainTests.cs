namespace Stoa.Tests.Contracts;

public sealed class LangChainOpenAiRun() : ClientRun("langchain-openai.mjs", "openai", "anthropic");

public sealed class LangChainAnthropicRun() : ClientRun("langchain-anthropic.mjs", "anthropic", "openai");

/// <summary>The npm packages <c>langchain</c> and <c>@langchain/openai</c> are content with every wire we speak to them.</summary>
public sealed class LangChainOpenAiTests(LangChainOpenAiRun run) : FrameworkClientTests(run), IClassFixture<LangChainOpenAiRun>
{
    protected override string Stop => "stop";

    [Theory, MemberData(nameof(Everywhere))]
    public void A_response_is_read_with_exact_usage(string target)
    {
        var result = Run.Result(target, "response");
        Assert.Equal("You said: What is a quay?", (string?)result["text"]);
        AssertReported(Run.Upstream(target, "response").Single(), result["usage"]!);
    }
}

/// <summary>The npm packages <c>langchain</c> and <c>@langchain/anthropic</c> are content with every wire we speak to them.</summary>
public sealed class LangChainAnthropicTests(LangChainAnthropicRun run) : FrameworkClientTests(run), IClassFixture<LangChainAnthropicRun>
{
    protected override string Stop => "end_turn";
}
