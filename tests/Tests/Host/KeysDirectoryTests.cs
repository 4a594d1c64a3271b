using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Tests.Support;

namespace Stoa.Tests.Host;

public sealed class KeysDirectoryTests
{
    [Fact]
    public async Task Hosts_with_data_directories_of_their_own_open_what_the_other_has_sealed()
    {
        var keys = Directory.CreateTempSubdirectory("stoa-keys-").FullName;
        try
        {
            await using var first = await HostUnderTest.StartAsync(new() { ["Stoa:KeysDirectory"] = keys });
            await using var second = await HostUnderTest.StartAsync(
                new() { ["Stoa:KeysDirectory"] = keys, ["ConnectionStrings:Stoa"] = first.ConnectionString });

            Assert.Equal("hidden", ProtectorOf(second).Unprotect(ProtectorOf(first).Protect("hidden")));
        }
        finally
        {
            Directory.Delete(keys, recursive: true);
        }
    }

    private static IDataProtector ProtectorOf(HostUnderTest host) =>
        host.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("test");
}
