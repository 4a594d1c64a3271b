using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Platform.Identity;

public sealed class DevelopmentKeyTests
{
    [Theory]
    [InlineData("Development", null, true)]
    [InlineData("Development", true, true)]
    [InlineData("Development", false, false)]
    [InlineData("Production", null, false)]
    [InlineData("Staging", null, false)]
    [InlineData("Production", true, false)]
    public void The_well_known_key_opens_a_development_host_only(string environment, bool? setting, bool opens)
    {
        var ring = new KeyRing(TimeProvider.System, DevelopmentKey.For(new Place(environment), new() { Development = setting }));
        ring.Replace([]);
        Assert.Equal(opens, ring.Find("stoa-dev") is { IsAdmin: true } key && key.OrganizationId == Organization.DefaultId);
    }

    [Theory]
    [InlineData("Development", true, true)]
    [InlineData("Production", false, true)]
    [InlineData("Production", null, true)]
    [InlineData("Production", true, false)]
    [InlineData("Staging", true, false)]
    public void Asking_for_it_elsewhere_refuses_the_start(string environment, bool? setting, bool starts) =>
        Assert.Equal(starts, new KeyOptionsValidator(new Place(environment)).Validate(null, new() { Development = setting }).Succeeded);

    [Fact]
    public void It_works_before_the_database_is_there_and_its_use_is_not_written()
    {
        var ring = new KeyRing(TimeProvider.System, DevelopmentKey.For(new Place("Development"), new()));
        ring.Used(ring.Find("stoa-dev")!);
        Assert.Empty(ring.Unsaved());
    }

    private sealed class Place(string environment) : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = environment;

        public string ApplicationName { get; set; } = "Stoa";

        public string ContentRootPath { get; set; } = "/";

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
