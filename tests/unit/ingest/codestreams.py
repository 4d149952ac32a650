"""The slice `thorax(32)[0] + 1024` as compressed frames, in codings that no library of the test environment writes.

Written with imagecodecs 2026.3.6 (JPEG-LS by CharLS, HTJ2K by OpenJPH, JPEG by libjpeg-turbo and liblj92), which shares
no code with the decoders under test. 8-bit JPEG holds the stored values divided by 16.
"""

from __future__ import annotations

import base64

_TEXTS = {
    "JPEGLSLossless": (
        r"|JeWN03cIPNk&Eh0ssI30000W0000W3J?YX0003j0003j|L6b+00001|JeWc01FTRAOIi%0TBTI_y7$7|Nj6I07C&306_oR00;pA"
        r"00000LihmyKoAH70s#R50RaI40RaL82oNAZfdT{w5FkK-06+hK7U1v#0DvG62m}HG0ssIAi4G3|fDix*F90A20s#PkKp-f?gTP=Q"
        r"Ak(-!017Vw03ZZ#0l`2)D&X)2F#rq94|N;Kyx<D=z~CSifGERwzz_ku;E{Dfyr2*RcEASl#h^tT9*j4n0<Z*|$^#T(dqw$f4**~U"
        r"2&e@>Dggi-1YcJGqR<8eQ~?lpAq4@53NMO4i-3Sl=>g0H0U-ngx0DAk5CjIN2Y_G*8&DAehzI~+BKA-a903Gk1VF?H3IM?l1Of=Q"
        r"^MK3?fdC8|1;Bs{tXvfWpi_Ck2m}>y5qd8LVg*2`7^DD#u>lxwF>gb8z@IM*!tMeAi=<mr-gv|W7$gqhBG3w3&ITYv34tIRz()ds"
        r")C14V;g|#qfe<hN000005M8Jj0D;^DRsfio9y$gnv;hG(<Q`xma4;mbQD`^>1RNRx2hsu~2L}fS2LOPBgF^5KKiOU3cwQBSVN*PU"
        r"2q1z8AOHXW001wAVOUlbg-w!b?q^T|Q{i}C7lq&;-~a#)=D{dVst|af7ytk$LomskWK{TW8&`+|5CcLRhT*to8HQn)W-k|u#bU8g"
        r"Ss_3LPl~`nfdAP"
    ),
    "JPEGLSNearLossless": (
        r"|JeWN03cIPNk&Eh0ssI30000W0000W3J?YX0003j0003j|L6b+00001|JeWc01FTRAOIi%0TBTI_y7$7|Nj6R08#-d06_oR00;pA"
        r"00RI3L0}LNAVCBWK?p(+gdqrsh=_=Yh=70pek_52KtO>65J3b003{%Sf&l;mo&f;@1Q0<4p#g#b2qGdP9D#rZJP-&3a1Zzd6(C?V"
        r"KtDizNB8~%uLK}g0#N;d0RF)rp#FgY{eXXTK&U{<KhPEgpU`9i0s;R1wa4oqU?31uU{nwZf&l*n2;iuIKuIKkKoL+Gqyz#2V3X#6"
        r"jtB?z8H55=1VA7VDi9D+5HKJhreP3(K&U`}kIE1rKxz>P2r3W=1Otc=q>@Sgg5nHB0RaPu2hsBp1jG{kfIy*KXOqB^Ndf@{#4a>I"
        r"AWDTF(eg<@&<F?^aL5n{2mV$5sDKDiS%nY@e!>I{3L;`d;0Oq61zm7pgNTd(0018Z0s<R}L;%H55M(SABANsc1Q3A^V>}>Q0s(}A"
        r"ri2Ip5kMjEjIfL&2p|Fi3{d{ecyQsth9Ff{00000001ChLx%<&F&b=h^acz#a0moYzyJUP#7RQ%q69b~U;!v_&)FDo;qo9t02GG~"
        r"95`^{!-ozGIB>w4K(OG!5dYZ"
    ),
    "JPEGLosslessSV1": (
        r"|JeV;02=@S0RaI40RaI300000000002?_@Y1O*HK!vG5m03ZM$0RRyI|Jncu0RR9700901-~a#s0000000000000000000000000"
        r"00!YM6~eez3gKKUg>bGF!iS&$4Z>V2g%5oh(YiNA=-nHmbZ(8#cL{K=6g>b2;UVv%IyXk=ARdh9-5Z?l5*~mXgt${DqhS8tfCeFS"
        r"lhL+)aG~e}(U?DoR`(FG3f_QX79m^QLc}d3^N<a~Oq?Iv(8Mjh0}!_KF$<)fpF_}Y5*~m60B#Z<gVCJi0RDaY2mn19&Ol-o-hqf)"
        r"dj5hL_hJ^_frwjr4Z=gv000AUkn{im006_?!T@dRAqL)}5Cac)2pf8cKmY-^sDuN~eHZ`$4>|N;Vea91&v+3CHuVsfGu+<h@XK#e"
        r"2sZVbZjFb#gbY30FFEvKx2S{xx2S|X=h3kDaDZX%;cL4<cJ|)HAOmk!_TJMO5r?~k0K?tF^Pf5B!3_P)4E@X=bLTx94|fOvVeTH>"
        r"FFEs`bJ2)r?qkk;=bZFxJ;U3C00ti6>^-<%bLTwgob#S@&U!W;;p{!QKmY>|aP}U<*n1CQ>^+CK2mk|Dm3psL>b+N`uhsQ^Usu)j"
        r"eP33rs`Xy0)q1Z=5E{IezgAOaT&tCGu2t1Q46DkyS1RRPtF0eatfdJ3Os3U9000cD){m6@y;)UCsVcw#1637Ls!4ySWe!lv8kO?="
        r"y0WU3QmR!-sZ}baRH~Iys#Qv<RV2U5^5r&A${M`?*#"
    ),
    "JPEGBaseline8Bit": (
        r"|JeWF01!$>Nk#wx0RR9200961|JwjV00RO70|EjA0|NsD0|NvF2n7WM1O*BQ2L=cX3JeSj3JVJj4iXRz4iOFu3lJ6%5fc;@6%`B*"
        r"7Z?^47!ni}6#u{g3kU!p03ZPY5di<h03QGV0R;g80RaI400000000000RjUA1qKHQ2?`7U!~nGr00IF60|EpC1qB2I0004f0RjU6"
        r"1Q7)iAu&M)6H#FYB5@QlfsvsIBSNvk6;jdgBr{@if(Z&17Z@2DB_<~*DJnEIHa9pqIzvQ7Mn_0VN>fx-R##YAT4Q8oW@l(=YIAgT"
        r"c6WGrdV_?8hKGoWijtF*m6n&7nVO=bq@|{(sHv*5v$VCgx45~w!o$SH#>dFX%F@%+)z;V8+1laa<K*S$=jiF`@$&QZ_4fDp`TGCb"
        r"00;pA002J#{H(5m$G{#T)M9BN(xwWhX%gZy`7s9`^!vYuo+7e=rk6{XV&gtrE4SdPNk4$DepsFfUO5q?kqK5t7%E3lM`K-=g={0z"
        r"JU4mb8A6-0Ah)tf;oPC}36NxU7;GMZsq36qUGU?^m)eG~+J2#R=On1j4&?cRgSdb|>5beT2G9mNRlkWIFTB#Cvb3_1tnMx&GESrq"
        r"F%<9y;gAk@a;G^_gX_lXuz$i^;Y+PnO{Z7W<^A!70H$c002ja<uGZvq3&`g+Tf*9<zNg{qpAOu!Ez3#g*vRkl`I!FzRx&^t`GC(E"
        r"bKe>7J{b5C>rK^-?xrHQ$ns+ZtCh(alOW(=WOdIcr+q(*9tNLNmNu|xt}bl}M&KclP7XH{kCf+vd!GCsIMuHs@Slb*w06kWZ<rf_"
        r"9G~hV2jx;hAmnF(+4<lM@)p+77zM<qd}_sBC7BWNfr7coJf41D-FoAsvDZ9Br@<fgO6svf$N=-d(idnSF3hGBW7Dr5l{CH~@n!G{"
        r"ef_H>Ly#?#$ZY=ryb~mK<LT*KytdFw1eXv43`hXkEa>jdk=x}s!R!xD%m3K"
    ),
    "JPEGExtended12Bit": (
        r"|JeWF01!$>Nk#wx0RR9200961|JwjV00IF40RaI50RaI50s;a81OoyB0s;jD1Oo&H1qKEN1qKEN2MGuU2MGrT1_%oX2?`1d3JL}Y"
        r"3k(Yi3<(Mf3je_X3k(1t03ZPY5di<h02u%P0s{d600000000000000A3kL`Z4gbUdB@h4s1OfvA00RL40{{R3000F81O^8J2muKS"
        r"3k(w#5&#q-|Jncu0RaF2KLFq_{{X`N=^x-x_9XNtt&)AM>x02A<}i!H=L*Emi`myPS|&=H^x3s}`;v~?hCmo}KQx{vibW7+qXm{l"
        r"+jN{}yC+E_AojQT@qcHImh@s>*rxROFxkaxh)a>J%P^xY3g+0CJz4wq><~<BN(&_~ATyr|xxq!TU_Hkznxy68{{X40R|}*c8#%0d"
        r"C#2gaVQHS`Yuw_axGFipXkD#T+0i$EB(S+Cw~DbQ6tKt1r08)5ZqQw`hK>_WWEMq4)WaO`%N`kP^0DYYO#G1i-TM{$7jHdpU&uG~"
        r"j?cz4gU_Wwx|$fyz^;Yb9LVDG!aD;MRN$x0A4)(ni_dtEo98wn1DUQ(4}HvuQrQG-#c#(s`!)Kf^bhOubL3yw=Xou*X1LmF9>}nC"
        r"i#ryKW}LWH!Z7QZxmd7+F@dd+A01vU@^JeB#&F1JmeAk<fG8cRNC<tR-;w?G%=B;Nzg2q9^XKM|acmy8w$prdK2dr069G8}2=?=("
        r"EAy;Vjm4tPCL!LNiiResUMvJ&lZTdmRe?A#$6}7NX0k3!Efdw=iVFJE{HnLV-&W(et)w1^ItJT@j(3FSnsvwqDJ9%3X0RAUM#m-A"
        r"dzg3;?4FQ^u!zm_Xkmh!Gy@c^-X=^g85qh*#WVR~dVT5h(^t=HbiOk^*;><xe(qQsQnufD%)YIAk;8~0_sbyMH)pRyT9P;zJVD&8"
        r"S5q;=GAQj(PYYV+A8_3%0}$;bt)2X44~4IO9&P<tl=QRh;uEYoZsJNC9c0xQgt|`xw+z=g%FaiVl3rLz<ENeki?<vVBJtGHK#v4p"
        r"wKpe8=3&^Tk0$pk^0>YoU7Y%A+G>K`@;h<sR^INHRD}%H_R9sr#cO#s!$9PzM#!u+DT!l$&0w?$<`N!w0Az}7c*NwXbR9AzpYltk"
        r"C)Q_g8fEf{`HXKT&DzIWU_a8|d6tZ7N7{Jpe%RKWw$jQ5DsfCA737fYLP}@^jm)w(;!gAVBfsdoeIB>o;&+tCjsTRIay@Q!our2}"
        r"X^(OH*&<5MrYnnLLlwXEs=wY^f}gZrj>upnqh#W3<WCRE4F1CA*UW}ZppM73WEVfyMO@Y-paXR2FWev5x6hu4)9ikGH7}|9A6Vw}"
        r"luTS<9lmFd>p<781`BV*8LeNz`bB{FFa(CVTa1$j{@Iml$Y1=yF)csT_p_fuzsNQ37B)9reMzP2rs1RFud<Rs#C54cWu~?Z30^pI"
        r")fL`OA(Xq)B!TkD$qZMIsGcocyU1(Y^WjlwV~`+ihg>~ZZ8nwMow)T_3QeulWkV7f9vMq)k7E?Ir)tgYMI?dHa-(nvB?FWv8~z!;"
        r"--F>XIR+`d47zHsi&aQF1OM3"
    ),
    "HTJ2KLossless": (
        r"|4;u>04YEK0000W0000W00000000000000W0000W0000000000009pH0sl|{2mk^A000XAQUDA90ssL31q1{@0smY86Cj9?kdTm&"
        r"kdTm&kdTmwh=~7W02crOPjF>!N>E53R%LP^FfKASE;BCwkN^q*00004YybiOlfVEb1^xvGbO68r62JfwzyK2f_5ufV08#=6bO1*E"
        r"0*7<}zyK9600m3{0aEUSi$c=?qm%$SHAtdQ0HTxtG_<4?VgR9(0Kfni<NyI}zyKEDSiJ|>3}BO+SHLDH#bZhFEYTnA0CSX#AR)K_"
        r"N>x|?5Sa>=4iJT7Q1#uFAvp}^2(1i20=EFHQhJFRmZ(7*<004Eg&bYT(OMz?23i=vS(gC702iyk02i#l02i(RfWO8e8Io)Cf)1Tb"
        r"QB^kMG(t}!^kg&66sn?$bl_INMkd3hU;lUE{~mDZccUh&Tc+*spc)#~@`$k^#s;-Ks-c0OGX4M!0SUqYB%lBZLdc3z6Hx&ITwoA4"
        r"@MNRL4W0!Ck%5vkGWli92M8Hth-nBJWXuOrcqFJ!oljxVyc|=4Y06Du&>W&<V~DB<V++}>dzH$^s(Y0R*{ud701afNQYjDyh9Dsj"
        r"!V^#d2L2c23S230<wZHa14>53ry;E5(Y{3c5-WM|X$a~%%Pn;JLLaOM3<oeA04sto^!chHXG+n`@PI%I3N0u+AV5=wDTML?%b26G"
        r"JdQ_aNVvgb0RV~!025UKzyL3{pa2)%@Bj<!5Kj@j@$(HoBY1ieq*=<jQJat0<hmm^MQtwSoFL7g-hfCaJ*~Ro8ndZD0tqCLF`K$>"
        r"(9<dqbixhp#v)o=!Lu9grpDahhD{mcx^YFGEuzK2-uTcBy<RI?g-Lp2%8dvl^GGs}+=!qzrY0#`1-)MT(2bQ_tGu5#-)f*etgfOx"
        r"e5>K-jl5gyYQO;55gI`4ii+ww5VdTC2@?GLC`;yJ=-#7$q7ky=BM3ml!x{q+YJ@O~KZ5~9uIS?Ygh|{OeSVr4#UHT3hlFF0;4GsN"
        r"kY+%ZFkAysAij}u{sRUpGPojx6`6m)8!16VjRGV^^SM~uXmH~ulN+v^Od8z4;zsjxfTTqI7J;Zn-!S6_{zC9@nMU74fB`NPJZ%tm"
        r"E91J{GI67!M{YE5%jCvQw=!)I#(?L(cBARTY^y5{FvZhLPA{f-RvegZRnv#pZrrTiLd!SAs)oUkc#)G}PXaj!kn&OugKvmM%eSi%"
        r"zFYr)>=e-$!oN;+s#BfnRR0=eifI0SwwzY}`~a&SQ%_AbdzBSKu1e@d3P;T^$$C~8lzikQAQ9z|AXE2)$f8w<N&4iNI?KU`TjJa}"
        r"7E%SIAPo7CfOD2GQUpa65xmLZnk=HIq6{>|5Z-d;jW=Fi-gwK|5Z(+lq^RJE2u>#69OwYvGK&aqaNxj^=XJ!J7jNFmDF-iayu9;v"
        r"6gcDs11knxI><N4rbWaWYY{eWQaZ>h1{`p#UBL&NS`>p#1>Y5G0uS8P)Kj{2O+EF%u1@&;D!rV5xPX7Nc0vIgaKQS)De^)A{CLD)"
        r"5>HB$_Z$Tto*2jkYRE7H_oCy-1+5W!ZwM2%Q5qwK<Hj+^C<LVukY+%ZP*?>2*#"
    ),
    "HTJ2K": (
        r"|4;u>04YEK0000W0000W00000000000000W0000W0000000000009pH0sl|{2mk^A001igQUDA90ssL31q1{@0RLP7BO<pLw(7R("
        r"w!E(ZuK=#%r%b0zr(}==kOPoLm(rKgmtp^802crOPjF>!N>E53R%LP^FfKASE;BCwkN^q*00005Qvd<~lfVE0IHj542nTckzyJX>"
        r"000v}00A&i=mZCJ0D$NO2Xp|m{R0Pd0KfnOt^fcPZ~y?R<e^Xnynpop1C#*Lq6MOWt@8l_lmO<Z-QdCc0f#gIzyJlk000*J003LS"
        r"qzDJ7L?I^Ykt68=^sNu{EmHVh!u<i0l#C!DxB!MhTC&>N;9908jvD~1cuU2wrh`kFP5{YBkbr8K0Inj9CY<COVKFppkO=5JylDXq"
        r"GYeJz0hWkB5tjhK02i)602i=802i%*Mwt$WM*tB(93E%SgklWo%x_;N^a#a|Q2b>=+!%x;3QwHMc7}icUF_QqzU?63#aF=Q8orMt"
        r"1nSrU8nu!YN~!=FY7U{H)BFK|Yj|6jf+Us6C}4pQ5i^njNJQZvx|lOmN$cl~3ZjTHFd>XjR#>iSZ~9xIpq=__;caLNSnLOSXx;t;"
        r"%EDlrVxBSMFZc@}*J{L6K;W|aoaxz=JhN_}P09QWi36DW00UW6yp&u4p@<9+;%2Y`#McojY6nsVQYvaYN<>x*{a}ayDk&-csraW#"
        r"N~F;Mtt=pWX-|*@-vGVC^$xc;AblpLVJTD!-O<a%R0322%Ee@x?2-Ej<|sfA;WBd^h0O(s0s<gnX0!po02k=I00DlQKmZr$a5$n+"
        r"`8$Bf5)R6#oJ%+iAfobzVj^RuO3BW{C7Iem1Pf?l#IS&-Lxdz#IS;2&vdl_=la(qwb#RfaC2SZlAP5d3mrBBqB>W(9sUSE83|PVj"
        r"7s>j>;woJ)PF~Tz344l|VqgOtI$!cq#WYn+^Cd5E=or|bh$)+}_kr@Aaz!OUZDC|fo_(QFBt^-k1pz<_1C%gY5Kxp{8bxyU1=*6Z"
        r"g@LL7K=9*K4O9Z8$LSeh55E+@6krdhX8`E|RN_?qBfwC@0&0UJUJW7@DYnJNwko6zA|qa?5w>CR+ysPiBh`{83W(#xR|Ey&upj{Q"
        r"Rn9_Eg%NzNLy(0MIYJH;V!fatj3b03F~Ng3hCMRdv~So0?(&d4E{_b8msD(h+A|FCydCSkJhwB$5PfJz#b)v%1FTTwRcRP~OHWZf"
        r"MqPUvSlFz_(zQn~BhRAHw^T7iX<DEX0xH@%prvwQz=Z%VLC~hqnGm#5;1a}z02c<JrNV810Qb6z>|;AmSF$Pw>4nJlkir;5_9%?O"
        r"_Rs}l2BamcGSOEbqBRCWCn<>)IGl^P2fpHPL5i?z0;LG+aKV9Bxrkf9VJV537%|X@Ivg|uf<K+$_YlpoSXRmhv>K&+u(a$UnmfS{"
        r"1b;Z1K^_TCX1>E8`IMW+&}S7hzkn_Z{i4t>3jMx-ZWS}f(C3t!!XG)NdH%)<g8>HySy;dtI_kO`Bw#ND1U0852#Qup2bLf}KtUbs"
        r"=|ZaQ4)g#5H*|u#A#)h?000w61i#t?04oLrfWoA91j)-SL=e5)MvyS69RP{|OrU6;=>$Qb(>cL3pfs!lngW_MtW5(dof8CsW;y{%"
        r">j9b?)I0K#fUG737@7h&BY|}S)(Or?ngSS_6d)jL$h;6mWJYmm;+4(_N*U6cOc*dLRf++#CKHCV2ufe+wC94_EH4O%3<H~FIdG7a"
        r"M?0WqAmBCNwPpbA03_wh!GTSZ$S_|R1Yjt&ZCIS6!m$l2m`{PIs7!&ZV18^vjtUzVE4>xSggEpsE-@iOI3g(`DMC0QF0s(R07d@V"
        r"BXm((yLyC7n~;n{M6E7f(;?#`h0+(52_9UGD~yX-2)GQ0uzEl+<rMt>aRbl*R=NmxR|Egq"
    ),
    "HTJ2KLossless_signed": (
        r"|4;u>04YEK0000W0000W00000000000000W0000W000000000000EBy0sl|{2mk^A000XAQUDA90ssL31q1{@0smY86Cj9?kdTm&"
        r"kdTm&kdTmwh=~7W02crOPjF>!N>E53R%LP^FfKASE;BCwkN^q*00004YybiOlfVEb1^xnubO68r62JfwzyK2f_5ufV08#=6bO1*E"
        r"0*7<}zyK9600m3{0aEUSi$c=?qm%$SHAtdQ0HTxtG_<4?VgR9(0Kfni<NyI}zyKEDSiJ|>3}BO+SHLDH#bZhFEYTnA0CSX#AR)K_"
        r"N>x|?5Sa>=4iJT7Q1#uFAvp}^2(1i20=EFHQhJFRmZ(7*<004Eg&bYT(OMz?23i=vS(gC702iyk02i#l02i(RfWO8e8Io)Cf)1Tb"
        r"QB^kMG(t}!^kg&66sn?$bl_INMkd3hU;lUE{~mDZccUh&Tc+*spc)#~@`$k^#s;-Ks-c0OGX4M!0SUqYB%lBZLdc3z6Hx&ITwoA4"
        r"@MNRL4W0!Ck%5vkGWli92M8Hth-nBJWXuOrcqFJ!oljxVyc|=4Y06Du&>W&<V~DB<V++}>dzH$^s(Y0R*{ud701afNQYjDyh9Dsj"
        r"!V^#d2L2c23S230<wZHa14>53ry;E5(Y{3c5-WM|X$a~%%Pn;JLLaOM3<oeA04sto^!chHXG+n`@PI%I3N0u+AV5=wDTML?%b26G"
        r"JdQ_aNVvgb0RV~!025UKzyL3{pa2)%@Bj<!5Kj@j@$(HoBY1ieq*=<jQJat0<hmm^MQtwSoFL7g-hfCaJ*~Ro8ndZD0tqCLF`K$>"
        r"(9<dqbixhp#v)o=!Lu9grpDahhD{mcx^YFGEuzK2-uTcBy<RI?g-Lp2%8dvl^GGs}+=!qzrY0#`1-)MT(2bQ_tGu5#-)f*etgfOx"
        r"e5>K-jl5gyYQO;55gI`4ii+ww5VdTC2@?GLC`;yJ=-#7$q7ky=BM3ml!x{q+YJ@O~KZ5~9uIS?Ygh|{OeSVr4#UHT3hlFF0;4GsN"
        r"kY+%ZFkAysAij}u{sRUpGPojx6`6m)8!16VjRGV^^SM~uXmH~ulN+v^Od8z4;zsjxfTTqI7J;Zn-!S6_{zC9@nMU74fB`NPJZ%tm"
        r"E91J{GI67!M{YE5%jCvQw=!)I#(?L(cBARTY^y5{FvZhLPA{f-RvegZRnv#pZrrTiLd!SAs)oUkc#)G}PXaj!kn&OugKvmM%eSi%"
        r"zFYr)>=e-$!oN;+s#BfnRR0=eifI0SwwzY}`~a&SQ%_AbdzBSKu1e@d3P;T^$$C~8lzikQAQ9z|AXE2)$f8w<N&4iNI?KU`TjJa}"
        r"7E%SIAPo7CfOD2GQUpa65xmLZnk=HIq6{>|5Z-d;jW=Fi-gwK|5Z(+lq^RJE2u>#69OwYvGK&aqaNxj^=XJ!J7jNFmDF-iayu9;v"
        r"6gcDs11knxI><N4rbWaWYY{eWQaZ>h1{`p#UBL&NS`>p#1>Y5G0uS8P)Kj{2O+EF%u1@&;D!rV5xPX7Nc0vIgaKQS)De^)A{CLD)"
        r"5>HB$_Z$Tto*2jkYRE7H_oCy-1+5W!ZwM2%Q5qwK<Hj+^C<LVukY+%ZP*?>2*#"
    ),
    "JPEGLossless": (
        r"|JeWF01!$>Nk#wx0RR9200961|HA+a3;-YiAOQgp0RO}Q82|wR0RaI400000000000000A2nz`X|Jncu0RaF6007`F0000000000"
        r"0000000000000000000009+se4`2Wbgdy)n0B1XdA?yGb2@iTO&R`la&UXn9U<JY?9na?8fC3?U11sSVU=111<!@06x1b1xThv0j"
        r"17|P`gphuJHuMn-Z$LyXy#zw^2Cs;F1;Rtv000HTL)bKCa{xK_^bi0vW^(}$w)6x-+tZ+jKJ-G{&=Cu7K)6VI0000k5+1++000Pk"
        r"xIhKHL?~O-LVzLe;Q?<^3IG5W^$?&lo{Rth13BoxL*2q>K7i2*7WELXa}NyG^$?+NT>f-qJ=`E6?%^|@j286}pceHIqdDlvd$>Rl"
        r"_i&ZnqX>lnE$Gg2BM)~70EfGT&TSYT8T*;xpSgjY+A<#Q5CB8k;WL?|4-EaxGnu0y?QnnqL)mbd%ncb2Wx@ae2zvmyKmZE71gn5m"
        r"KqU+XUP`)9!Bqeft_r+WM4^wVD0NT(00AoXdGgPfSA?s800mSMhxG)Zl~7gS01}2uxmS<>*#"
    ),
}


def codestream(name):
    """The compressed frame of a coding, by pydicom's keyword of its transfer syntax; `_signed` holds HU themselves."""
    return base64.b85decode(_TEXTS[name])
