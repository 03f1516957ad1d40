using NewarBots.Contract;

namespace NewarBots.Recorder.Joining;

/// <summary>
/// Chromium's arguments in addition to Playwright's. None of them disguises the browser or weakens its protection against the page.
/// </summary>
internal static class ChromiumArguments
{
    /// <summary>
    /// The first two lines are ours. They disable the audio process, which only serves a sound card that does not exist and whose late start
    /// makes the decoders' buffers fill up, and preloaded pages, which take 50 MiB. The other lines repeat Playwright's own list, which this
    /// argument replaces.
    /// </summary>
    private static readonly string[] DisabledFeatures =
    [
        "AudioServiceOutOfProcess", "InitialWebUI", "WebUIReloadButton", "PreloadTopChromeWebUI", "SpareRendererForSitePerProcess",
        "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",
        "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "DialMediaRouteProvider",
        "GlobalMediaControls", "HttpsUpgrades", "LensOverlay", "MediaRouter", "PaintHolding", "Translate", "OptimizationHints",
        "NetworkTimeServiceQuerying", "AimEnabled",
    ];

    /// <summary>
    /// Addresses of this host, its network and the cloud's metadata service, in the browser's normalised form. Patterns with a colon match
    /// IPv6 addresses, including IPv4-mapped ones. The colon matters: without it, one in 128 of the mDNS names that WebRTC generates would
    /// match too.
    /// </summary>
    private static readonly string[] InternalHosts =
    [
        "*.internal", "0.0.0.0", "10.*", "100.100.100.200", "127.*", "169.254.*", "192.168.*",
        .. Enumerable.Range(16, 16).Select(second => $"172.{second}.*"),
        "::*", "64:ff9b:*", "fc??:*", "fd??:*", "fe80:*",
    ];

    /// <param name="browser">The browser to start.</param>
    /// <param name="assignment">The meeting to open.</param>
    public static IEnumerable<string> For(BrowserKind browser, RecorderAssignment assignment)
    {
        yield return "--lang=en-US";
        yield return "--accept-lang=en-US,en";
        yield return $"--window-size={VirtualDisplay.Width},{VirtualDisplay.Height}";
        yield return "--window-position=0,0";
        // The capture plays every track without a click.
        yield return "--autoplay-policy=no-user-gesture-required";
        yield return $"--disable-features={string.Join(',', DisabledFeatures)}";
        if (browser is BrowserKind.HeadlessShell)
        {
            // Saves the 10 MiB of software rendering. Pages have no WebGL.
            yield return "--disable-gpu";
            yield return "--disable-software-rasterizer";
        }
        yield return $"--host-resolver-rules={string.Join(',', HostRules(assignment))}";
        if (assignment.MeetingUrl is { Scheme: "http", IsLoopback: false } url)
            yield return $"--unsafely-treat-insecure-origin-as-secure={url.GetLeftPart(UriPartial.Authority)}";
    }

    /// <summary>The first matching rule applies, but exclusions precede all: the meeting's own host may be internal.</summary>
    private static IEnumerable<string> HostRules(RecorderAssignment assignment)
    {
        if (assignment.LocalhostIs is { } host)
        {
            yield return $"MAP localhost {host}";
            yield return $"MAP 127.0.0.1 {host}";
        }
        else
        {
            yield return $"EXCLUDE {assignment.MeetingUrl.DnsSafeHost}";
        }

        foreach (var pattern in InternalHosts)
            yield return $"MAP {pattern} ~NOTFOUND";
    }
}
