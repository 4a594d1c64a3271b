using System.Text.Json;
using Stoa.Platform.Http;

namespace Stoa.Tests.Platform.Http;

public sealed class StorableJsonTests
{
    [Theory]
    [InlineData("""{"a":[1,2.5,-3e10,0,"text",true,null]}""", true)]
    [InlineData("1e308", true)]
    [InlineData("1e999999", false)]
    [InlineData("[1e-999999]", false)]
    [InlineData("""{"a":"\ud800"}""", false)]
    [InlineData("""{"\udc00":1}""", false)]
    [InlineData("""["\u0000"]""", false)]
    [InlineData("""{"a\u0000":1}""", false)]
    public void What_the_database_cannot_hold_is_found_out_before(string json, bool isStorable) =>
        Assert.Equal(isStorable, StorableJson.Holds(JsonElement.Parse(json)));

    [Fact]
    public void A_number_of_endless_digits_is_none() => Assert.False(StorableJson.Holds(JsonElement.Parse(new string('1', 500))));
}
