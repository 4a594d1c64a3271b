using Stoa.Assistants.Executions;

namespace Stoa.Tests.Assistants.Work;

public sealed class InputImagesTests
{
    [Theory]
    [InlineData("89504E470D0A1A0A00", "image/png")]
    [InlineData("FFD8FFE0", "image/jpeg")]
    [InlineData("474946383961", "image/gif")]
    [InlineData("524946460000000057454250", "image/webp")]
    [InlineData("524946460000000057415645", null)]
    [InlineData("", null)]
    public void A_picture_is_known_by_its_first_bytes(string bytes, string? type) =>
        Assert.Equal(type, InputImages.TypeOf(Convert.FromHexString(bytes)));
}
