using Stoa.Tests.Support;

namespace Stoa.Tests.Journeys;

/// <summary>Whole ways through the pages in Chromium: by keyboard alone, each page on the way without a finding of axe.</summary>
public sealed class JourneyTests
{
    [Fact]
    public async Task A_stranger_looks_around()
    {
        await using var host = await HostUnderTest.StartAsync();
        await ChromiumRun.PlayAsync(host, "a_stranger_looks_around");
    }

    [Fact]
    public async Task The_keyboard_skips_to_the_content()
    {
        await using var host = await HostUnderTest.StartAsync();
        await ChromiumRun.PlayAsync(host, "skip_to_the_content");
    }

    [Fact]
    public async Task Somebody_with_a_key_signs_in_and_out()
    {
        await using var host = await HostUnderTest.StartAsync();
        await ChromiumRun.PlayAsync(host, "sign_in_and_out_with_a_key", new() { ["key"] = HostProcess.DevelopmentKey });
    }
}
