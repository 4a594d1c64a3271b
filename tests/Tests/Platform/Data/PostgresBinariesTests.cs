using System.Globalization;
using Stoa.Platform.Data;

namespace Stoa.Tests.Platform.Data;

public sealed class PostgresBinariesTests
{
    [Theory]
    [InlineData("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n", 15)]
    [InlineData("postgres (PostgreSQL) 18\n", 18)]
    [InlineData("postgres (PostgreSQL) 19devel", 19)]
    [InlineData("postgres (PostgreSQL) ", 0)]
    [InlineData("postgres 17.2", 0)]
    public void The_major_version_is_read_from_what_the_server_says(string said, int major) =>
        Assert.Equal(major, PostgresBinaries.MajorIn(said));

    [Theory]
    [InlineData("17", "17")]
    [InlineData("9.6", "9.6")]
    [InlineData("postgresql@17", "17")]
    [InlineData("pgsql-16", "16")]
    [InlineData("postgresql", null)]
    [InlineData("-17", null)]
    [InlineData("17-old", null)]
    [InlineData("9.6.1", null)]
    [InlineData("bin", null)]
    [InlineData("", null)]
    public void A_folder_of_the_server_is_known_by_its_version(string folder, string? version) =>
        Assert.Equal(version is null ? null : decimal.Parse(version, CultureInfo.InvariantCulture), PostgresBinaries.VersionOf(folder));
}
