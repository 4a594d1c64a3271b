using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Options;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;
using HostName = Stoa.Platform.Egress.HostName;

namespace Stoa.Tests.Platform.Egress;

public sealed class AddressGuardTests
{
    private readonly AddressGuard guard = new(Options.Create(new EgressOptions()), (_, _) => Task.FromResult<IPAddress[]>([]));

    [Theory]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://127.1/")]
    [InlineData("http://127.0.1/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://0X7F.0.0.1/")]
    [InlineData("http://0x7f.1/")]
    [InlineData("http://017700000001/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("http://0177.0x0.1/")]
    [InlineData("http://127.0.0.1./")]
    [InlineData("http://１２７.０.０.１/")]
    [InlineData("http://127。0。0。1/")]
    [InlineData("http://①②⑦.⓪.⓪.①/")]
    [InlineData("http://0/")]
    [InlineData("http://0.0.0.0/")]
    [InlineData("http://10.1.2.3/")]
    [InlineData("http://172.16.0.1/")]
    [InlineData("http://172.31.255.255/")]
    [InlineData("http://192.168.1.1/")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://0xa9fea9fe/")]
    [InlineData("http://100.100.100.200/")]
    [InlineData("http://100.64.0.1/")]
    [InlineData("http://168.63.129.16/")]
    [InlineData("http://192.0.0.192/")]
    [InlineData("http://192.0.2.1/")]
    [InlineData("http://192.88.99.1/")]
    [InlineData("http://198.18.0.1/")]
    [InlineData("http://198.51.100.1/")]
    [InlineData("http://203.0.113.1/")]
    [InlineData("http://224.0.0.1/")]
    [InlineData("http://239.255.255.250/")]
    [InlineData("http://240.0.0.1/")]
    [InlineData("http://255.255.255.255/")]
    [InlineData("http://[::]/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[0:0:0:0:0:0:0:1]/")]
    [InlineData("http://[::ffff:127.0.0.1]/")]
    [InlineData("http://[::ffff:8.8.8.8]/")]
    [InlineData("http://[::ffff:a9fe:a9fe]/")]
    [InlineData("http://[::127.0.0.1]/")]
    [InlineData("http://[64:ff9b::7f00:1]/")]
    [InlineData("http://[64:ff9b:1::7f00:1]/")]
    [InlineData("http://[2002:7f00:1::]/")]
    [InlineData("http://[2001:0:7f00:1::]/")]
    [InlineData("http://[2001:db8::1]/")]
    [InlineData("http://[2001:2::1]/")]
    [InlineData("http://[3fff::1]/")]
    [InlineData("http://[fc00::1]/")]
    [InlineData("http://[fd00:ec2::254]/")]
    [InlineData("http://[fe80::1]/")]
    [InlineData("http://[fe80::1%25eth0]/")]
    [InlineData("http://[fec0::1]/")]
    [InlineData("http://[ff02::1]/")]
    [InlineData("http://[100::1]/")]
    [InlineData("http://[5f00::1]/")]
    public void Addresses_that_are_not_public_are_refused_however_they_are_written(string url) => AssertRefused(url);

    [Theory]
    [InlineData("")]
    [InlineData("/relative")]
    [InlineData("//example.com/")]
    [InlineData("example.com")]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://example.com/")]
    [InlineData("gopher://example.com/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/plain,x")]
    [InlineData("http:///path")]
    [InlineData("http://user@example.com/")]
    [InlineData("http://user:word@example.com/")]
    [InlineData("http://@example.com/")]
    [InlineData("http://example.com@127.0.0.1/")]
    [InlineData("http://example.com\\@127.0.0.1/")]
    [InlineData("http:\\\\example.com\\")]
    [InlineData("http://exam ple.com/")]
    [InlineData("http://example.com/\r\nHost: internal")]
    [InlineData("http://example.com\t.internal/")]
    [InlineData("http://8.8.8.8:22/")]
    [InlineData("http://8.8.8.8:0/")]
    [InlineData("http://8.8.8.8:6379/")]
    [InlineData("http://1.2.3.4.5/")]
    [InlineData("http://256.1.1.1/")]
    [InlineData("http://0x1ffffffff/")]
    [InlineData("http://08.8.8.8/")]
    [InlineData("http://exa%6dple.com/\u0000")]
    [InlineData("http://a..b/")]
    public void What_is_no_plain_web_address_is_refused(string url) => AssertRefused(url);

    [Theory]
    [InlineData("http://example.com/a?b=c", "http://example.com/a?b=c")]
    [InlineData("https://EXAMPLE.com:8443/", "https://example.com:8443/")]
    [InlineData("http://example.com./#part", "http://example.com/")]
    [InlineData("http://8.8.8.8:8080/x", "http://8.8.8.8:8080/x")]
    [InlineData("http://134744072/", "http://8.8.8.8/")]
    [InlineData("https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]/")]
    [InlineData("https://bücher.example/", "https://xn--bcher-kva.example/")]
    [InlineData("https://example.com/a%2Fb%20c?q=%C3%BC", "https://example.com/a%2Fb%20c?q=%C3%BC")]
    public void Public_addresses_pass_in_their_one_normal_spelling(string url, string normal) =>
        Assert.Equal(normal, guard.Check(url).AbsoluteUri);

    [Fact]
    public void Every_spelling_of_an_IPv4_address_is_judged_alike() => Prop.ForAll(
        Gen.Choose(0, 255).Four().ToArbitrary(),
        bytes =>
        {
            var (a, b, c, d) = bytes;
            var number = ((uint)a << 24) | ((uint)b << 16) | ((uint)c << 8) | (uint)d;
            string[] spellings =
            [
                $"{a}.{b}.{c}.{d}", $"{number}", $"0x{number:x8}", $"0{Convert.ToString(number, 8)}", $"{a}.{number & 0xffffff}",
                $"{a}.{b}.{number & 0xffff}", $"0x{a:x}.0{Convert.ToString(b, 8)}.{c}.0x{d:X}", $"{a}．{b}｡{c}。{d}",
            ];
            var address = new IPAddress([(byte)a, (byte)b, (byte)c, (byte)d]);
            return spellings.All(host => Passes($"http://{host}/") == PublicAddress.IsPublic(address)
                && (HostName.Normalize(host) == address.ToString()));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_text_whatever_makes_the_guard_stumble() => Prop.ForAll(
        Gen.Elements(
                "http://", "https://", "http:", "//", "1", "0x", "127", ".", "。",
                "[", "]", ":", "%", "@", "/", "é", "ａ", "\u0000", "-", "xn--")
            .ListOf().Select(parts => string.Concat(parts)).ToArbitrary(),
        url =>
        {
            Passes(url);
            return true;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("127.0.0.1", "http://127.0.0.1:5000/")]
    [InlineData("127.0.0.0/8", "http://127.9.9.9/")]
    [InlineData("10.0.0.0/8:9000, 127.0.0.1:5000", "http://127.0.0.1:5000/")]
    [InlineData("[::1]:5000", "http://[::1]:5000/")]
    [InlineData("fd00::/8", "http://[fd12::1]:99/")]
    public void The_allow_list_opens_what_it_names(string allow, string url) => Assert.NotNull(GuardAllowing(allow).Check(url));

    [Theory]
    [InlineData("127.0.0.1:5000", "http://127.0.0.1:5001/")]
    [InlineData("127.0.0.1", "http://127.0.0.2/")]
    [InlineData("10.0.0.0/8", "http://127.0.0.1/")]
    [InlineData("intranet.example", "http://127.0.0.1/")]
    public void The_allow_list_opens_nothing_else(string allow, string url) =>
        Assert.Equal("url_not_allowed", Assert.Throws<Failure>(() => GuardAllowing(allow).Check(url)).Code);

    [Theory]
    [InlineData("", "80", true)]
    [InlineData("intranet.example:9000, 10.1.0.0/16,[::1]:8080 fd00::/8", "80,443", true)]
    [InlineData("10.0.0.0/99", "80", false)]
    [InlineData("a b!c", "80", false)]
    [InlineData("127.0.0.1:0", "80", false)]
    [InlineData("127.0.0.1:http", "80", false)]
    [InlineData("127.1", "80", false)]
    [InlineData("", "0", false)]
    [InlineData("", "80,x", false)]
    public void Wrong_settings_are_told(string allow, string ports, bool right) =>
        Assert.Equal(right, new EgressOptionsValidator().Validate(null, new() { Allow = allow, Ports = ports }).Succeeded);

    private static AddressGuard GuardAllowing(string allow) =>
        new(Options.Create(new EgressOptions { Allow = allow }), (_, _) => Task.FromResult<IPAddress[]>([]));

    private bool Passes(string url)
    {
        try
        {
            guard.Check(url);
            return true;
        }
        catch (Failure failure) when (failure.Code == "url_not_allowed")
        {
            return false;
        }
    }

    private void AssertRefused(string url)
    {
        var failure = Assert.Throws<Failure>(() => guard.Check(url));
        Assert.Equal((FailureKind.Invalid, "url_not_allowed", "url not allowed"), (failure.Kind, failure.Code, failure.Message));
    }
}
